import type { Chat } from '../api/types';

export type ChatGroup = 'pinned' | 'today' | 'week' | 'earlier';

const DAY_MS = 86_400_000;

/** Chats under headings by age, the most recent first; empty headings are left out. */
export function groupChats(chats: readonly Chat[], now: Date): [ChatGroup, Chat[]][] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups: Record<ChatGroup, Chat[]> = { pinned: [], today: [], week: [], earlier: [] };
  const newestFirst = [...chats].sort((a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at));
  for (const chat of newestFirst) {
    if (chat.archived) continue;
    const updated = Date.parse(chat.updated_at);
    if (chat.pinned) groups.pinned.push(chat);
    else if (updated >= midnight) groups.today.push(chat);
    else if (updated >= midnight - 6 * DAY_MS) groups.week.push(chat);
    else groups.earlier.push(chat);
  }
  return (Object.entries(groups) as [ChatGroup, Chat[]][]).filter(([, list]) => list.length > 0);
}
