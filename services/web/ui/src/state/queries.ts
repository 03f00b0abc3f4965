import { QueryClient, useQuery } from '@tanstack/react-query';
import * as api from '../api/endpoints';
import { ApiError } from '../api/errors';
import type { Model, WebSearchAccess } from '../api/types';

/** The names under which answers are kept; a write invalidates by them. */
export const keys = {
  setup: ['setup'] as const,
  me: ['me'] as const,
  models: ['models'] as const,
  adminModels: ['admin', 'models'] as const,
  catalogue: ['admin', 'models', 'catalogue'] as const,
  modelAccess: ['settings', 'models'] as const,
  knowledgeBases: ['knowledge-bases'] as const,
  knowledgeBase: (id: string) => ['knowledge-bases', id] as const,
  labels: (id: string) => ['labels', id] as const,
  findings: (document: string) => ['findings', document] as const,
  grants: (id: string) => ['grants', id] as const,
  documents: (knowledgeBase: string) => ['documents', knowledgeBase] as const,
  document: (id: string) => ['document', id] as const,
  chunks: (document: string) => ['chunks', document] as const,
  chunkPreview: (document: string, profile: string) => ['chunk-preview', document, profile] as const,
  chunk: (id: string) => ['chunk', id] as const,
  chats: ['chats'] as const,
  users: ['users'] as const,
  groups: ['groups'] as const,
  audit: ['audit'] as const,
  usage: ['usage'] as const,
  answering: ['settings', 'answering'] as const,
  searchRules: ['settings', 'web_search'] as const,
  searchEngines: ['web-search', 'engines'] as const,
  webSearch: ['web-search', 'access'] as const,
  apiKeys: ['api-keys'] as const,
  search: (query: string) => ['search', query] as const,
};

const MAX_RETRIES = 2;
const FRESH_MS = 15_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      refetchOnWindowFocus: false,
      // What the server refuses it will refuse again; a break in the network is worth another try.
      retry: (failures, cause) => {
        const { status } = ApiError.of(cause);
        return (status === 0 || status >= 502) && failures < MAX_RETRIES;
      },
    },
  },
});

export const useMe = () => useQuery({ queryKey: keys.me, queryFn: api.me, staleTime: Infinity });
export const useKnowledgeBases = () =>
  useQuery({ queryKey: keys.knowledgeBases, queryFn: api.listKnowledgeBases });
export const useModels = () => useQuery({ queryKey: keys.models, queryFn: api.listModels });
/** How often models are asked for while an answer waits for one. */
const MODELS_POLL_MS = 2_000;
/** The models as they stand, asked for again and again while `active`; none otherwise. */
export function useModelsNow(active: boolean): readonly Model[] {
  const { data } = useQuery({
    queryKey: keys.models,
    queryFn: api.listModels,
    enabled: active,
    refetchInterval: active ? MODELS_POLL_MS : false,
  });
  return active && data ? data : [];
}
/** Whether the person can search the web, and agrees to each query first; `null` where not, or not known yet. */
export function useWebSearch(): WebSearchAccess | null {
  const { data } = useQuery({ queryKey: keys.webSearch, queryFn: api.webSearchAccess });
  return data?.available ? data : null;
}
export const useChats = () => useQuery({ queryKey: keys.chats, queryFn: api.listChats });

export const refresh = (key: readonly unknown[]) => queryClient.invalidateQueries({ queryKey: key });
