/** Every call that the pages make, in one list. */
import { call, json } from './http';
import type {
  Answering,
  ApiKey,
  AuditRow,
  Chat,
  Chunk,
  DocumentItem,
  Grant,
  Group,
  KeyScope,
  KnowledgeBase,
  Model,
  Page,
  SearchResults,
  SetupState,
  StoredMessage,
  UsageRow,
  User,
} from './types';

/** The most items that one page of a list holds. */
const PAGE_LIMIT = 200;
/** Pages that `everyItem` reads at most: 20,000 items, more than a page can show. */
const MAX_PAGES = 100;

async function everyItem<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: String(PAGE_LIMIT), ...(cursor ? { cursor } : {}) });
    const answer: Page<T> = await json('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`);
    items.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return items;
}

export const setupState = () => json<SetupState>('GET', '/setup');
export const setUp = (body: {
  username: string;
  password: string;
  display_name: string;
  setup_token?: string;
}) => json<unknown>('POST', '/setup', body);
export const logIn = (body: { username: string; password: string }) =>
  json<unknown>('POST', '/auth/login', body);
export const logOut = () => json<unknown>('POST', '/auth/logout');
export const me = () => json<User>('GET', '/auth/me');

export const listUsers = () => everyItem<User>('/users');
export const createUser = (body: {
  username: string;
  password: string;
  display_name: string;
  role: User['role'];
}) => json<User>('POST', '/users', body);
export const updateUser = (
  id: string,
  body: { display_name?: string; password?: string; role?: User['role']; disabled?: boolean },
) => json<User>('PATCH', `/users/${id}`, body);
export const deleteUser = (id: string) => json<unknown>('DELETE', `/users/${id}`);

export const listGroups = () => everyItem<Group>('/groups');
export const createGroup = (body: { name: string; description: string }) =>
  json<Group>('POST', '/groups', body);
export const updateGroup = (id: string, body: { name?: string; description?: string }) =>
  json<Group>('PATCH', `/groups/${id}`, body);
export const deleteGroup = (id: string) => json<unknown>('DELETE', `/groups/${id}`);
export const addMember = (group: string, user: string) =>
  json<unknown>('PUT', `/groups/${group}/members/${user}`);
export const removeMember = (group: string, user: string) =>
  json<unknown>('DELETE', `/groups/${group}/members/${user}`);

export const listAudit = (cursor: string | null) =>
  json<Page<AuditRow>>('GET', `/audit${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`);

export const listUsage = () => json<Page<UsageRow>>('GET', '/usage').then((page) => page.items);
export const getAnswering = () => json<Answering>('GET', '/settings/answering');
export const putAnswering = (body: Answering) => json<Answering>('PUT', '/settings/answering', body);

export const listApiKeys = () => everyItem<ApiKey>('/api-keys');
export const createApiKey = (body: { name: string; scopes: KeyScope[]; expires_at: string | null }) =>
  json<ApiKey & { secret: string }>('POST', '/api-keys', body);
export const deleteApiKey = (id: string) => json<unknown>('DELETE', `/api-keys/${id}`);

export const listModels = () => everyItem<Model>('/models');

export const listKnowledgeBases = () => everyItem<KnowledgeBase>('/knowledge-bases');
export const getKnowledgeBase = (id: string) => json<KnowledgeBase>('GET', `/knowledge-bases/${id}`);
export const createKnowledgeBase = (body: { name: string; description: string; language: string }) =>
  json<KnowledgeBase>('POST', '/knowledge-bases', body);
export const updateKnowledgeBase = (
  id: string,
  body: { name?: string; description?: string; language?: string },
) => json<KnowledgeBase>('PATCH', `/knowledge-bases/${id}`, body);
export const deleteKnowledgeBase = (id: string) => json<unknown>('DELETE', `/knowledge-bases/${id}`);
export const getGrants = (id: string) => json<Grant[]>('GET', `/knowledge-bases/${id}/grants`);
export const putGrants = (id: string, grants: Grant[]) =>
  json<unknown>('PUT', `/knowledge-bases/${id}/grants`, grants);
export const loadSamples = () => json<{ knowledge_base_id: string }>('POST', '/samples');

export const listDocuments = (knowledgeBase: string) =>
  everyItem<DocumentItem>(`/knowledge-bases/${knowledgeBase}/documents`);
export const getDocument = (id: string) => json<DocumentItem>('GET', `/documents/${id}`);
export const deleteDocument = (id: string) => json<unknown>('DELETE', `/documents/${id}`);
export const retryDocument = (id: string) => json<unknown>('POST', `/documents/${id}/retry`);
export const listChunks = (document: string) => everyItem<Chunk>(`/documents/${document}/chunks`);
export const getChunk = (id: string) => json<Chunk>('GET', `/chunks/${id}`);
export const documentEvents = (knowledgeBase: string, signal: AbortSignal) =>
  call(`/events/documents?knowledge_base_id=${encodeURIComponent(knowledgeBase)}`, { signal });

export const search = (q: string) => json<SearchResults>('GET', `/search?q=${encodeURIComponent(q)}`);

export const listChats = () =>
  json<Page<Chat>>('GET', `/chats?limit=${PAGE_LIMIT}`).then((page) => page.items);
export const getChat = (id: string) => json<Chat>('GET', `/chats/${id}`);
export const createChat = (body: { model?: string; knowledge_base_ids?: string[] }) =>
  json<Chat>('POST', '/chats', body);
export const updateChat = (
  id: string,
  body: { title?: string; model?: string; knowledge_base_ids?: string[]; pinned?: boolean },
) => json<Chat>('PATCH', `/chats/${id}`, body);
export const deleteChat = (id: string) => json<unknown>('DELETE', `/chats/${id}`);
export const listMessages = (chat: string) => everyItem<StoredMessage>(`/chats/${chat}/messages`);

export interface Question {
  content: string;
  parent_id?: string;
  model?: string;
  knowledge_base_ids?: string[];
}

const EVENT_STREAM = { Accept: 'text/event-stream' };

export const ask = (chat: string, body: Question, signal: AbortSignal) =>
  call(`/chats/${chat}/messages`, {
    method: 'POST',
    headers: { ...EVENT_STREAM, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
export const regenerate = (chat: string, message: string, signal: AbortSignal) =>
  call(`/chats/${chat}/messages/${message}/regenerate`, { method: 'POST', headers: EVENT_STREAM, signal });
export const resumeAnswer = (
  chat: string,
  message: string,
  lastEventId: string | null,
  signal: AbortSignal,
) =>
  call(`/chats/${chat}/messages/${message}/stream`, {
    headers: { ...EVENT_STREAM, ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}) },
    signal,
  });
export const stopAnswer = (chat: string, message: string) =>
  json<unknown>('POST', `/chats/${chat}/messages/${message}/stop`);
export const rate = (chat: string, message: string, body: { rating: number; comment?: string }) =>
  json<unknown>('PUT', `/chats/${chat}/messages/${message}/feedback`, body);
