import { describe, expect, it } from 'vitest';
import type { DocumentItem } from '../api/types';
import { isLitter } from './files';
import { applyDocumentEvent, parseDocumentEvent } from './progress';

const document = (id: string, progress = 0) => ({ id, progress }) as DocumentItem;

describe('applyDocumentEvent', () => {
  const list = [document('a'), document('b')];
  it('replaces, adds in front, and takes away', () => {
    expect(applyDocumentEvent(list, { document: document('b', 1), deleted: false })).toEqual([
      document('a'),
      document('b', 1),
    ]);
    expect(applyDocumentEvent(list, { document: document('c'), deleted: false })[0]?.id).toBe('c');
    expect(applyDocumentEvent(list, { document: document('a'), deleted: true })).toEqual([document('b')]);
  });
});

describe('parseDocumentEvent', () => {
  it('reads documents and ignores the rest', () => {
    expect(parseDocumentEvent('{"document":{"id":"a"}}')).toEqual({ document: { id: 'a' }, deleted: false });
    expect(parseDocumentEvent('{}')).toBeNull();
    expect(parseDocumentEvent('')).toBeNull();
  });
});

describe('isLitter', () => {
  it.each(['.DS_Store', '~$plan.docx', 'Thumbs.db'])('%s', (name) => expect(isLitter(name)).toBe(true));
  it.each(['plan.docx', 'a~$b.md'])('%s', (name) => expect(isLitter(name)).toBe(false));
});
