import { ChatSession } from './session';

/** Chats kept in memory, so that going back to one shows it at once and its answer goes on arriving. */
const MAX_OPEN_SESSIONS = 20;

const sessions = new Map<string, ChatSession>();

export function sessionOf(chatId: string): ChatSession {
  const known = sessions.get(chatId);
  // The map keeps the order of use: the least recently used one is dropped first.
  sessions.delete(chatId);
  const session = known ?? new ChatSession(chatId);
  sessions.set(chatId, session);
  for (const [id, oldest] of sessions) {
    if (sessions.size <= MAX_OPEN_SESSIONS) break;
    oldest.leave();
    sessions.delete(id);
  }
  return session;
}

/** Another person may sign in next: nothing of this one may stay. */
export function forgetSessions(): void {
  for (const session of sessions.values()) session.leave();
  sessions.clear();
}
