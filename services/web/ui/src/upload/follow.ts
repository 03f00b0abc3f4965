import * as api from '../api/endpoints';
import { readEvents } from '../api/sse';
import type { DocumentEvent } from '../api/types';
import { parseDocumentEvent } from './progress';

const RECONNECT_MS = 2_000;

export interface DocumentFeed {
  onEvent: (event: DocumentEvent) => void;
  /** The connection is there (again); what happened meanwhile was missed, so read the list anew. */
  onOpen: () => void;
  onLost: () => void;
}

/** Follows the documents of a knowledge base until `signal` is aborted, reconnecting as often as it takes. */
export async function followDocuments(
  knowledgeBaseId: string,
  feed: DocumentFeed,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await api.documentEvents(knowledgeBaseId, signal);
      feed.onOpen();
      if (!response.body) return;
      for await (const { data } of readEvents(response.body)) {
        const event = parseDocumentEvent(data);
        if (event && event.document.knowledge_base_id === knowledgeBaseId) feed.onEvent(event);
      }
    } catch {
      // Whatever broke it, the answer is the same: say so and connect again.
    }
    if (signal.aborted) return;
    feed.onLost();
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}
