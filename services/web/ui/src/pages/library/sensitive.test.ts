import { describe, expect, it } from 'vitest';
import { KINDS, kindsOf, policyOf, wordsOf } from './sensitive';

describe('the policy on sensitive content', () => {
  it('reads words from lines and lists of either language, once each', () => {
    expect(wordsOf('启明星，猎鹰、ACE\n\n ACE ; x')).toEqual(['启明星', '猎鹰', 'ACE', 'x']);
    expect(wordsOf(' \n')).toEqual([]);
  });

  it('names no kind when every kind is wanted', () => {
    expect(policyOf('mask', new Set(KINDS), '')).toEqual({ mode: 'mask', kinds: [], words: [] });
    expect(policyOf('flag', new Set(['phone', 'email'] as const), 'a').kinds).toEqual(['email', 'phone']);
  });

  it('takes no kind to mean all of them', () => {
    expect(kindsOf(undefined).size).toBe(KINDS.length);
    expect([...kindsOf({ mode: 'flag', kinds: ['phone'], words: [] })]).toEqual(['phone']);
  });
});
