import { expect, it } from 'vitest';
import { byDay, byUser } from './usage';

const row = (day: string, user_id: string, answers: number) => ({
  day,
  user_id,
  username: user_id,
  answers,
  prompt_tokens: 10 * answers,
  completion_tokens: answers,
});

it('sums usage by day and by user', () => {
  const rows = [row('2026-01-02', 'a', 1), row('2026-01-02', 'b', 3), row('2026-01-01', 'a', 1)];
  expect(byDay(rows)).toEqual([
    { day: '2026-01-02', answers: 4, tokens: 44 },
    { day: '2026-01-01', answers: 1, tokens: 11 },
  ]);
  expect(byUser(rows).map((user) => [user.username, user.answers, user.tokens])).toEqual([
    ['b', 3, 33],
    ['a', 2, 22],
  ]);
});
