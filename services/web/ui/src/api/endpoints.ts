/** Every call that the pages make, in one list. */
import { client, data, stream } from './http';
import type { Body, Grant, Label } from './types';

/** The most items that one page of a list holds. */
const PAGE_LIMIT = 200;
/** Pages that `everyItem` reads at most: 20,000 items, more than a page can show. */
const MAX_PAGES = 100;

interface PageQuery {
  limit: number;
  cursor?: string;
}

/** Reads a list to its end. */
async function everyItem<T>(
  read: (query: PageQuery) => Promise<{ data?: { items: T[]; next_cursor?: string | null } }>,
): Promise<T[]> {
  const items: T[] = [];
  let query: PageQuery = { limit: PAGE_LIMIT };
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await data(read(query));
    items.push(...page.items);
    if (!page.next_cursor) break;
    query = { limit: PAGE_LIMIT, cursor: page.next_cursor };
  }
  return items;
}

const STREAMED = { parseAs: 'stream', headers: { Accept: 'text/event-stream' } } as const;

const path = <P extends Record<string, string>>(values: P) => ({ params: { path: values } });

export const setupState = () => data(client.GET('/api/v1/setup'));
export const setUp = (body: Body<'SetupRequest'>) => data(client.POST('/api/v1/setup', { body }));
export const logIn = (body: Body<'LoginRequest'>) => data(client.POST('/api/v1/auth/login', { body }));
export const logOut = () => data(client.POST('/api/v1/auth/logout'));
export const me = () => data(client.GET('/api/v1/auth/me'));
export const updateProfile = (body: Body<'UpdateProfile'>) => data(client.PATCH('/api/v1/auth/me', { body }));

export const listUsers = () => everyItem((query) => client.GET('/api/v1/users', { params: { query } }));
export const createUser = (body: Body<'CreateUser'>) => data(client.POST('/api/v1/users', { body }));
export const updateUser = (id: string, body: Body<'UpdateUser'>) =>
  data(client.PATCH('/api/v1/users/{id}', { ...path({ id }), body }));
export const deleteUser = (id: string) => data(client.DELETE('/api/v1/users/{id}', path({ id })));

export const listGroups = () => everyItem((query) => client.GET('/api/v1/groups', { params: { query } }));
export const createGroup = (body: Body<'CreateGroup'>) => data(client.POST('/api/v1/groups', { body }));
export const updateGroup = (id: string, body: Body<'UpdateGroup'>) =>
  data(client.PATCH('/api/v1/groups/{id}', { ...path({ id }), body }));
export const deleteGroup = (id: string) => data(client.DELETE('/api/v1/groups/{id}', path({ id })));
export const addMember = (id: string, user_id: string) =>
  data(client.PUT('/api/v1/groups/{id}/members/{user_id}', path({ id, user_id })));
export const removeMember = (id: string, user_id: string) =>
  data(client.DELETE('/api/v1/groups/{id}/members/{user_id}', path({ id, user_id })));

export const listAudit = (cursor: string | null) =>
  data(client.GET('/api/v1/audit', { params: { query: cursor ? { cursor } : {} } }));
export const listUsage = () => data(client.GET('/api/v1/usage')).then((page) => page.items);
const ANSWERING = path({ section: 'answering' });
export const getAnswering = () => data(client.GET('/api/v1/settings/{section}', ANSWERING));
export const putAnswering = (body: Body<'Answering'>) =>
  data(client.PUT('/api/v1/settings/{section}', { ...ANSWERING, body }));

export const getSearchRules = () => data(client.GET('/api/v1/settings/web_search'));
export const putSearchRules = (body: Body<'SearchRules'>) =>
  data(client.PUT('/api/v1/settings/web_search', { body }));
export const searchEngines = () => data(client.GET('/api/v1/web-search/engines'));
/** Whether the asker can search the web. */
export const webSearchAccess = () => data(client.GET('/api/v1/web-search'));
/** What would leave for a question; nothing is sent. */
export const outgoingQuery = (query: string) =>
  data(client.POST('/api/v1/web-search/outgoing', { body: { query } }));

export const listApiKeys = () => everyItem((query) => client.GET('/api/v1/api-keys', { params: { query } }));
export const createApiKey = (body: Body<'CreateApiKey'>) => data(client.POST('/api/v1/api-keys', { body }));
export const deleteApiKey = (id: string) => data(client.DELETE('/api/v1/api-keys/{id}', path({ id })));

export const listModels = () => data(client.GET('/api/v1/models')).then((page) => page.items);

export const listAdminModels = () => data(client.GET('/api/v1/admin/models'));
export const loadModel = (name: string) =>
  data(client.POST('/api/v1/admin/models/{name}/load', path({ name })));
export const unloadModel = (name: string) =>
  data(client.POST('/api/v1/admin/models/{name}/unload', path({ name })));
export const pinModel = (name: string) => data(client.PUT('/api/v1/admin/models/{name}/pin', path({ name })));
export const unpinModel = (name: string) =>
  data(client.DELETE('/api/v1/admin/models/{name}/pin', path({ name })));
export const deleteModel = (name: string) =>
  data(client.DELETE('/api/v1/admin/models/{name}', path({ name })));
export const modelCatalogue = () => data(client.GET('/api/v1/admin/models/catalogue'));
export const modelFileState = (sha256: string) =>
  data(client.GET('/api/v1/admin/models/files/{sha256}', path({ sha256 })));
export const createModel = (body: Body<'CreateModel'>, signal: AbortSignal) =>
  data(client.POST('/api/v1/admin/models', { body, signal }));
export const pullModel = (source: string, signal: AbortSignal) =>
  stream(client.POST('/api/v1/admin/models/pull', { ...STREAMED, body: { source }, signal }));
export const getModelAccess = () => data(client.GET('/api/v1/settings/models'));
export const putModelAccess = (body: Body<'ModelAccess'>) =>
  data(client.PUT('/api/v1/settings/models', { body }));

export const listKnowledgeBases = () =>
  everyItem((query) => client.GET('/api/v1/knowledge-bases', { params: { query } }));
export const getKnowledgeBase = (id: string) =>
  data(client.GET('/api/v1/knowledge-bases/{id}', path({ id })));
export const createKnowledgeBase = (body: Body<'CreateKnowledgeBase'>) =>
  data(client.POST('/api/v1/knowledge-bases', { body }));
export const updateKnowledgeBase = (id: string, body: Body<'UpdateKnowledgeBase'>) =>
  data(client.PATCH('/api/v1/knowledge-bases/{id}', { ...path({ id }), body }));
export const deleteKnowledgeBase = (id: string) =>
  data(client.DELETE('/api/v1/knowledge-bases/{id}', path({ id })));
export const getGrants = (id: string) =>
  data(client.GET('/api/v1/knowledge-bases/{id}/grants', path({ id })));
export const putGrants = (id: string, body: Grant[]) =>
  data(client.PUT('/api/v1/knowledge-bases/{id}/grants', { ...path({ id }), body }));
export const getLabels = (id: string) =>
  data(client.GET('/api/v1/knowledge-bases/{id}/labels', path({ id })));
export const putLabels = (id: string, body: Label[]) =>
  data(client.PUT('/api/v1/knowledge-bases/{id}/labels', { ...path({ id }), body }));
export const loadSamples = () => data(client.POST('/api/v1/samples'));

export const listDocuments = (id: string) =>
  everyItem((query) =>
    client.GET('/api/v1/knowledge-bases/{id}/documents', { params: { path: { id }, query } }),
  );
export const getDocument = (id: string) => data(client.GET('/api/v1/documents/{id}', path({ id })));
export const updateDocument = (id: string, body: Body<'UpdateDocument'>) =>
  data(client.PATCH('/api/v1/documents/{id}', { ...path({ id }), body }));
export const getFindings = (id: string) => data(client.GET('/api/v1/documents/{id}/findings', path({ id })));
export const deleteDocument = (id: string) => data(client.DELETE('/api/v1/documents/{id}', path({ id })));
/** With the password of a protected file, if it needs one. */
export const retryDocument = (id: string, password?: string) =>
  data(
    client.POST('/api/v1/documents/{id}/retry', {
      ...path({ id }),
      body: password === undefined ? undefined : { password },
    }),
  );
export const listChunks = (id: string) =>
  everyItem((query) => client.GET('/api/v1/documents/{id}/chunks', { params: { path: { id }, query } }));
export const previewChunks = (id: string, body: Body<'ChunkPreviewRequest'>) =>
  data(client.POST('/api/v1/documents/{id}/chunk-preview', { ...path({ id }), body }));
export const getChunk = (id: string) => data(client.GET('/api/v1/chunks/{id}', path({ id })));
export const documentEvents = (knowledge_base_id: string, signal: AbortSignal) =>
  stream(
    client.GET('/api/v1/events/documents', {
      params: { query: { knowledge_base_id } },
      parseAs: 'stream',
      signal,
    }),
  );

export const search = (q: string) => data(client.GET('/api/v1/search', { params: { query: { q } } }));

/** The most recent chats; older ones are found by searching. */
export const listChats = () =>
  data(client.GET('/api/v1/chats', { params: { query: { limit: PAGE_LIMIT } } })).then((page) => page.items);
export const getChat = (id: string) => data(client.GET('/api/v1/chats/{id}', path({ id })));
export const createChat = (body: Body<'CreateChat'>) => data(client.POST('/api/v1/chats', { body }));
export const updateChat = (id: string, body: Body<'UpdateChat'>) =>
  data(client.PATCH('/api/v1/chats/{id}', { ...path({ id }), body }));
export const deleteChat = (id: string) => data(client.DELETE('/api/v1/chats/{id}', path({ id })));
export const listMessages = (id: string) =>
  everyItem((query) => client.GET('/api/v1/chats/{id}/messages', { params: { path: { id }, query } }));

export const ask = (id: string, body: Body<'PostMessage'>, signal: AbortSignal) =>
  stream(client.POST('/api/v1/chats/{id}/messages', { ...path({ id }), ...STREAMED, body, signal }));
export const regenerate = (id: string, message_id: string, signal: AbortSignal) =>
  stream(
    client.POST('/api/v1/chats/{id}/messages/{message_id}/regenerate', {
      ...path({ id, message_id }),
      ...STREAMED,
      signal,
    }),
  );
export const resumeAnswer = (
  id: string,
  message_id: string,
  lastEventId: string | null,
  signal: AbortSignal,
) =>
  stream(
    client.GET('/api/v1/chats/{id}/messages/{message_id}/stream', {
      params: {
        path: { id, message_id },
        header: lastEventId ? { 'Last-Event-ID': lastEventId } : {},
      },
      ...STREAMED,
      signal,
    }),
  );
export const stopAnswer = (id: string, message_id: string) =>
  data(client.POST('/api/v1/chats/{id}/messages/{message_id}/stop', path({ id, message_id })));
export const rate = (id: string, message_id: string, body: Body<'Feedback'>) =>
  data(
    client.PUT('/api/v1/chats/{id}/messages/{message_id}/feedback', { ...path({ id, message_id }), body }),
  );
