import { describe, expect, it } from 'vitest';
import type { WordList } from '../../api/types';
import { csvOfLists, decodeText, listsOfCsv, parseCsv, withWords, wordsOfFile } from './word-files';

describe('a file of words', () => {
  it.each([
    ['UTF-8 with its mark', [0xef, 0xbb, 0xbf, 0xe8, 0xaf, 0x8d]],
    ['UTF-8', [0xe8, 0xaf, 0x8d]],
    ['GB 18030', [0xb4, 0xca]],
    ['UTF-16', [0xff, 0xfe, 0xcd, 0x8b]],
  ])('is read in %s', (_, bytes) => {
    expect(decodeText(new Uint8Array(bytes))).toBe('词');
  });

  it('has a word on each line, or in the first column of a CSV', () => {
    expect(wordsOfFile('a.txt', '词\r\nAcme, Inc.\n\n词')).toEqual(['词', 'Acme, Inc.']);
    expect(wordsOfFile('a.CSV', '词语,说明\n凌云,项目\n"Acme, Inc.",公司\n')).toEqual(['凌云', 'Acme, Inc.']);
    expect(wordsOfFile('a.csv', '凌云\n猎鹰')).toEqual(['凌云', '猎鹰']);
    expect(wordsOfFile('a.csv', '')).toEqual([]);
  });

  it('adds what is new below what is there', () => {
    expect(withWords('a\nb \n', ['b', 'c'])).toEqual({ text: 'a\nb\nc', added: 1 });
    expect(withWords(' ', ['c'])).toEqual({ text: 'c', added: 1 });
    expect(withWords('a', ['a'])).toEqual({ text: 'a', added: 0 });
  });
});

describe('parseCsv', () => {
  it.each([
    [
      'quotes, with separators, lines and quotes in them',
      'a,"b,\n""c"""\r\nd,e',
      [
        ['a', 'b,\n"c"'],
        ['d', 'e'],
      ],
    ],
    [
      'semicolons',
      'a;b\nc;d,e',
      [
        ['a', 'b'],
        ['c', 'd,e'],
      ],
    ],
    ['tabs', 'a\tb', [['a', 'b']]],
    [
      'empty rows',
      'a,b\n\n,\nc,',
      [
        ['a', 'b'],
        ['c', ''],
      ],
    ],
    ['a quote within a word', 'a"b,c', [['a"b', 'c']]],
    ['a quote that never ends', '"a,b\nc', [['a,b\nc']]],
  ])('reads %s', (_, text, rows) => {
    expect(parseCsv(text)).toEqual(rows);
  });
});

describe('lists as a CSV', () => {
  const lists: WordList[] = [
    { category: 'secret', direction: 'outgoing', action: 'block', pinyin: true, words: ['并购', 'a "b", c'] },
    { category: '广告', direction: 'incoming', action: 'flag', pinyin: false, words: ['=1+1'] },
  ];

  it('come back as they were', () => {
    expect(listsOfCsv(csvOfLists(lists))).toEqual({ lists, skipped: 0 });
  });

  it('need a category and a word, and leave out rows that cannot be understood', () => {
    expect(listsOfCsv('word\na')).toBeNull();
    expect(listsOfCsv('')).toBeNull();
    const text = 'Category,Word,Action\nads,x,\nads,y,explode\n,z,drop\nads,x,drop';
    expect(listsOfCsv(text)).toEqual({
      lists: [{ category: 'ads', direction: 'both', action: 'drop', pinyin: false, words: ['x'] }],
      skipped: 2,
    });
  });
});
