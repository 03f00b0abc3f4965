import { describe, expect, it } from 'vitest';
import type { DocumentItem } from '../../api/types';
import { folderOf, nestedRows } from './nesting';

const item = (id: string, path: string, parent_id: string | null = null) =>
  ({ id, path, parent_id }) as DocumentItem;

const mail = item('m', 'offer.eml');
const archive = item('z', 'offer.eml/all.zip', 'm');
const second = item('b', 'offer.eml/all.zip/b.txt', 'z');
const first = item('a', 'offer.eml/all.zip/a.txt', 'z');
const other = item('o', 'other.md');
const all = [second, first, archive, other, mail];

const shown = (...unfolded: string[]) =>
  nestedRows(all, new Set(unfolded)).map((row) => `${row.depth}${row.document.id}`);

describe('documents inside of documents', () => {
  it('are folded at first', () => {
    expect(shown()).toEqual(['0o', '0m']);
  });

  it('follow what holds them, by path', () => {
    expect(shown('m', 'z')).toEqual(['0o', '0m', '1z', '2a', '2b']);
  });

  it('stand by themselves where their holder is not listed', () => {
    const rows = nestedRows([first], new Set());
    expect(rows).toEqual([{ document: first, depth: 0 }]);
  });
});

describe('the folder of a document', () => {
  it('is told within its holder', () => {
    expect(folderOf(item('x', 'a/all.zip/inner/x.txt', 'z'), 'a/all.zip')).toBe('inner');
    expect(folderOf(item('x', 'a/all.zip/x.txt', 'z'), 'a/all.zip')).toBe('');
    expect(folderOf(item('x', 'plant/x.txt'), null)).toBe('plant');
  });
});
