import { expect, it } from 'vitest';
import { newHeadings, withoutHeading } from './headings';

it.each([
  [
    [],
    ['A', 'A.1'],
    [
      [0, 'A'],
      [1, 'A.1'],
    ],
  ],
  [['A', 'A.1'], ['A', 'A.1'], []],
  [['A', 'A.1'], ['A', 'A.2'], [[1, 'A.2']]],
  [['A', 'A.1'], ['A'], []],
  [
    ['A', 'x'],
    ['B', 'x'],
    [
      [0, 'B'],
      [1, 'x'],
    ],
  ],
])('from %j to %j', (before, after, expected) => {
  expect(newHeadings(before, after).map(({ depth, text }) => [depth, text])).toEqual(expected);
});

it.each([
  ['Leave\n\nTen days.', 'Leave', 'Ten days.'],
  ['Ten days.', 'Leave', 'Ten days.'],
  ['Leave', 'Leave', ''],
])('%j under the heading %j', (text, heading, expected) => {
  expect(withoutHeading(text, [{ depth: 0, text: heading }])).toBe(expected);
});
