/** The shapes of the public interface, as the pages use them. */

export type Role = 'viewer' | 'editor' | 'owner';
export type DocumentStatus = 'queued' | 'parsing' | 'embedding' | 'indexed' | 'failed';

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface User {
  id: string;
  username: string;
  display_name: string;
  role: 'admin' | 'user';
  disabled: boolean;
  groups: string[];
  created_at: string;
  last_login_at?: string | null;
}

export interface Group {
  id: string;
  name: string;
  description: string;
  /** Ids of users. */
  members: string[];
  created_at: string;
}

export interface KnowledgeBase {
  id: string;
  name: string;
  description: string;
  language: string;
  document_count: number;
  chunk_count: number;
  status: 'ready' | 'indexing' | 'deleting';
  my_role: Role;
  created_at: string;
  updated_at: string;
}

export interface Grant {
  /** `user:<id>`, `group:<id>` or `everyone`. */
  principal: string;
  role: Role;
}

export interface CodedMessage {
  code: string;
  message: string;
}

export interface DocumentItem {
  id: string;
  knowledge_base_id: string;
  name: string;
  path: string;
  media_type: string;
  bytes: number;
  pages: number | null;
  status: DocumentStatus;
  /** 0 to 1, over the whole way from queued to indexed. */
  progress: number;
  error: CodedMessage | null;
  warnings: CodedMessage[];
  version: number;
  chunk_count: number;
  created_at: string;
  updated_at: string;
}

/** A rectangle on a page in points, with the origin at the page's top left corner. */
export interface Box {
  page: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Chunk {
  id: string;
  document_id: string;
  knowledge_base_id: string;
  version: number;
  ordinal: number;
  text: string;
  page_start: number | null;
  page_end: number | null;
  heading_path: string[];
  boxes: Box[];
  tokens: number;
}

export interface Source {
  n: number;
  kind: 'document' | 'web';
  chunk_id?: string | null;
  document_id?: string | null;
  document_name?: string | null;
  page_start?: number | null;
  page_end?: number | null;
  boxes?: Box[] | null;
  url?: string | null;
  title: string;
  excerpt: string;
  score: number;
  version?: number | null;
  as_of?: string | null;
}

export interface Citation {
  n: number;
  sentence: string;
  supported: boolean;
  score: number;
  /** Where in the cited document the supporting words stand. */
  boxes?: Box[];
}

export type Outcome = 'answered' | 'quoted' | 'not_found' | 'clarify' | 'stopped';

export interface Done {
  message_id: string;
  model: string;
  usage: { prompt_tokens: number; completion_tokens: number };
  timings_ms: Record<string, number>;
  outcome: Outcome;
  grounded: boolean;
  truncated: boolean;
  cached: boolean;
}

export interface Chat {
  id: string;
  title: string;
  model: string | null;
  knowledge_base_ids: string[];
  web_search: boolean;
  folder_id: string | null;
  archived: boolean;
  pinned: boolean;
  created_at: string;
  updated_at: string;
}

/** A message as the server keeps it. */
export interface StoredMessage {
  id: string;
  parent_id: string | null;
  role: 'user' | 'assistant';
  content: string;
  state: 'running' | 'done' | 'stopped' | 'failed';
  reasoning?: string | null;
  sources?: Source[];
  citations?: Citation[];
  outcome?: Outcome | null;
  model?: string | null;
  feedback?: { rating: number; comment?: string | null } | null;
  error?: CodedMessage | null;
  created_at: string;
}

export interface Model {
  id: string;
  engine: string;
  capabilities: {
    chat: boolean;
    embed: boolean;
    rerank: boolean;
    vision: boolean;
    tools: boolean;
    /** Answers by quoting passages. */
    quotes: boolean;
  };
  state: 'available' | 'loading' | 'ready' | 'failed';
  context_tokens: number;
}

export type KeyScope = 'read' | 'write' | 'admin';

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: KeyScope[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface SetupState {
  needed: boolean;
  token_required?: boolean;
}

export interface UploadedDocument {
  id: string;
  name: string;
  status: DocumentStatus;
  duplicate_of?: string | null;
}

export interface DocumentEvent {
  document: DocumentItem;
  deleted: boolean;
}

export interface SnippetPart {
  text: string;
  matched: boolean;
}

export interface PassageSnippet {
  chunk_id: string;
  document_id: string;
  document_name: string;
  page_start: number | null;
  heading_path: string[];
  snippet: SnippetPart[];
  cut_before: boolean;
  cut_after: boolean;
}

export interface ChatSnippet {
  chat_id: string;
  title: string;
  message_id: string;
  snippet: SnippetPart[];
  created_at: string;
}

export interface SearchResults {
  documents: PassageSnippet[];
  chats: ChatSnippet[];
}

export interface AuditRow {
  sequence: number;
  id: string;
  at: string;
  actor: string;
  actor_name: string;
  /** `domain.verb` */
  action: string;
  /** `kind:id` */
  object: string;
  address: string;
}

export interface UsageRow {
  /** `YYYY-MM-DD` in UTC. */
  day: string;
  user_id: string;
  username: string;
  answers: number;
  prompt_tokens: number;
  completion_tokens: number;
}

/** How questions are answered, for all users. */
export interface Answering {
  default_model: string | null;
  web_search: boolean;
  instructions: string;
}
