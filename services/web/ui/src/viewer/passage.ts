import { API_BASE } from '../api/http';
import type { Box } from '../api/types';

/** A passage to show in its document. */
export interface Passage {
  chunkId: string | null;
  /** The text as it was when it was cited. */
  excerpt: string;
  pageStart: number | null;
  boxes: readonly Box[];
  /** The lines within the passage that an answer rests on. */
  evidence: readonly Box[];
  /** The sentences of the answer that cite the passage and are supported by it. */
  sentences: readonly string[];
  /** The version of the document that was cited. */
  version: number | null;
}

export function contentUrl(documentId: string, version: number | null): string {
  return `${API_BASE}/documents/${documentId}/content${version === null ? '' : `?version=${version}`}`;
}

/** The page of a document in this app, opened at a passage. */
export function documentUrl(documentId: string, passage: { chunkId: string | null } | null = null): string {
  const query = passage?.chunkId ? `?chunk=${encodeURIComponent(passage.chunkId)}` : '';
  return `/documents/${documentId}${query}`;
}
