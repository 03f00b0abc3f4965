import { describe, expect, it } from 'vitest';
import { suggestedProfile } from './profiles';

describe('the suggested profile', () => {
  it.each([
    [['a.pptx', 'b.PPT', 'c.pdf'], 'presentation'],
    [['a.xlsx', 'b.csv'], 'table'],
    [['a.xlsx', 'b.pdf'], null],
    [['a.pdf'], null],
    [[], null],
  ])('of %j is %s', (names, expected) => {
    expect(suggestedProfile(names)).toBe(expected);
  });
});
