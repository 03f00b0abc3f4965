import { describe, expect, it } from 'vitest';
import { evidenceRuns, quotesRow } from './evidence';

describe('evidenceRuns', () => {
  it('finds quoted sentences whatever their spaces and citations', () => {
    const runs = evidenceRuns('One. Two  is here.\nThree.', ['Three. [1]', 'Two is here.']);
    expect(runs.map((run) => (run.evidence ? `{${run.text}}` : run.text)).join('')).toBe(
      'One. {Two  is here.}\n{Three.}',
    );
  });

  it('leaves a text that is not quoted whole', () => {
    expect(evidenceRuns('One.', ['Other.'])).toEqual([{ text: 'One.', evidence: false }]);
  });
});

describe('quotesRow', () => {
  it('compares the cells of a row', () => {
    expect(quotesRow(['1 至 4 年', '12 天'], ['工龄 | 年休假\n1 至 4 年 | 12 天'])).toBe(true);
    expect(quotesRow(['5 至 9 年', '15 天'], ['1 至 4 年 | 12 天'])).toBe(false);
    expect(quotesRow(['', ''], ['x'])).toBe(false);
  });
});
