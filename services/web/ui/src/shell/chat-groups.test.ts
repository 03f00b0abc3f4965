import { expect, it } from 'vitest';
import type { Chat } from '../api/types';
import { groupChats } from './chat-groups';

const now = new Date(2026, 0, 15, 12);
const chat = (id: string, daysAgo: number, more: Partial<Chat> = {}) =>
  ({ id, updated_at: new Date(now.getTime() - daysAgo * 86_400_000).toISOString(), ...more }) as Chat;

it('groups chats by age, pinned first, archived not at all', () => {
  const groups = groupChats(
    [
      chat('old', 40),
      chat('week', 3),
      chat('b', 0.2),
      chat('a', 0.1),
      chat('pin', 90, { pinned: true }),
      chat('x', 0, { archived: true }),
    ],
    now,
  );
  expect(groups.map(([name, list]) => [name, list.map((item) => item.id)])).toEqual([
    ['pinned', ['pin']],
    ['today', ['a', 'b']],
    ['week', ['week']],
    ['earlier', ['old']],
  ]);
});
