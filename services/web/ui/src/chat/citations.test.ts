import { describe, expect, it } from 'vitest';
import {
  citedNumbers,
  locateSentence,
  splitCitations,
  unsupportedSentences,
  withoutHalfCitation,
} from './citations';

const known = new Set([1, 2, 3]);

describe('splitCitations', () => {
  it.each([
    ['年假为十天[1]。', ['年假为十天', 1, '。']],
    ['Ten days [1][2], see [3].', ['Ten days', 1, 2, ', see', 3, '.']],
    ['两处 [1, 2] 与【3】', ['两处', 1, 2, ' 与', 3]],
    ['In [2024] we had [9].', ['In [2024] we had [9].']],
    ['mixed [1, 9]', ['mixed [1, 9]']],
    ['', []],
  ])('cuts %j', (text, expected) => {
    const pieces = splitCitations(text, known).map((piece) => (piece.kind === 'text' ? piece.text : piece.n));
    expect(pieces).toEqual(expected);
  });
});

describe('citedNumbers', () => {
  it('names each source once', () => {
    expect([...citedNumbers('a [2]. b [1, 2]. c [9].', known)]).toEqual([2, 1]);
  });
});

describe('withoutHalfCitation', () => {
  it.each([
    ['ten days [', 'ten days '],
    ['ten days [1', 'ten days '],
    ['ten days [1, ', 'ten days '],
    ['ten days [1]', 'ten days [1]'],
    ['a list [x', 'a list [x'],
  ])('%j', (text, expected) => expect(withoutHalfCitation(text)).toBe(expected));
});

describe('unsupportedSentences', () => {
  it('keeps a sentence out when any of its citations supports it, and names it once', () => {
    const citation = (n: number, sentence: string, supported: boolean) => ({
      n,
      sentence,
      supported,
      score: 0,
    });
    const found = unsupportedSentences([
      citation(1, 'A is true [1][2].', false),
      citation(2, 'A is true [1][2].', true),
      citation(1, 'B is true [1].', false),
      citation(3, '**B** is true.', false),
    ]);
    expect(found.map((item) => item.sentence)).toEqual(['B is true [1].']);
  });
});

describe('locateSentence', () => {
  it('finds a sentence across formatted runs and citations', () => {
    const texts = ['First. The limit is ', '40 bar', ' [1]. Last.'];
    expect(locateSentence(texts, 'The limit is **40 bar** [1].')).toEqual([
      [7, 19],
      [0, 6],
      [4, 5],
    ]);
  });

  it('answers null when the sentence is not there', () => {
    expect(locateSentence(['abc'], 'x')).toBeNull();
    expect(locateSentence(['abc'], '[1]')).toBeNull();
  });
});
