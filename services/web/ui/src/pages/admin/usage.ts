import type { UsageRow } from '../../api/types';

export interface DayUsage {
  day: string;
  answers: number;
  tokens: number;
}

/** Answers and tokens of all users by day, the newest first, as the server orders them. */
export function byDay(rows: readonly UsageRow[]): DayUsage[] {
  const days = new Map<string, DayUsage>();
  for (const { day, answers, prompt_tokens, completion_tokens } of rows) {
    const sum = days.get(day) ?? { day, answers: 0, tokens: 0 };
    days.set(day, {
      day,
      answers: sum.answers + answers,
      tokens: sum.tokens + prompt_tokens + completion_tokens,
    });
  }
  return [...days.values()];
}

export interface UserUsage {
  user_id: string;
  username: string;
  answers: number;
  tokens: number;
}

/** The same by user, who asked most first. */
export function byUser(rows: readonly UsageRow[]): UserUsage[] {
  const users = new Map<string, UserUsage>();
  for (const { user_id, username, answers, prompt_tokens, completion_tokens } of rows) {
    const sum = users.get(user_id) ?? { user_id, username, answers: 0, tokens: 0 };
    users.set(user_id, {
      user_id,
      username,
      answers: sum.answers + answers,
      tokens: sum.tokens + prompt_tokens + completion_tokens,
    });
  }
  return [...users.values()].sort((a, b) => b.answers - a.answers);
}
