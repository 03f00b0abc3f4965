import { ApiError } from '../api/errors';
import { readEvents } from '../api/sse';
import { parseStreamEvent, type StreamEvent } from './events';

/** How often a broken stream is picked up again before the answer counts as lost. */
export const MAX_RESUMES = 5;
const RESUME_DELAY_MS = 500;

export interface StreamTransport {
  /** Starts the generation (or picks up a running one from its beginning). */
  open: (signal: AbortSignal) => Promise<Response>;
  /** Picks the message's stream up after the event with this id. */
  resume: (messageId: string, lastEventId: string | null, signal: AbortSignal) => Promise<Response>;
  wait?: (ms: number) => Promise<void>;
}

/**
 * Delivers the events of an answer to the end. The generation belongs to the server: when the connection breaks,
 * it is picked up after the last event that arrived. Rejects with an `ApiError` when the answer cannot be
 * followed any more; resolves early when `signal` is aborted.
 */
export async function followAnswer(
  transport: StreamTransport,
  deliver: (event: StreamEvent) => void,
  signal: AbortSignal,
  knownMessageId: string | null = null,
): Promise<void> {
  const wait = transport.wait ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  let messageId = knownMessageId;
  let lastEventId: string | null = null;
  let open = () => transport.open(signal);
  for (let resumes = 0; ;) {
    try {
      const response = await open();
      if (!response.body) throw ApiError.unreachable();
      for await (const raw of readEvents(response.body)) {
        lastEventId = raw.id ?? lastEventId;
        const event = parseStreamEvent(raw.event, raw.data);
        if (!event || signal.aborted) continue;
        if (event.type === 'message') messageId = event.id;
        // Progress was made: the allowance is for breaks in a row.
        resumes = 0;
        deliver(event);
        if (event.type === 'done' || event.type === 'error') return;
      }
    } catch (cause) {
      if (signal.aborted) return;
      // What the server refuses it will refuse again; only the network is worth another try.
      const error = ApiError.of(cause);
      if (error.status !== 0 && error.status < 500) throw error;
      if (messageId === null || resumes >= MAX_RESUMES) throw error;
    }
    if (signal.aborted) return;
    if (messageId === null || resumes >= MAX_RESUMES) throw ApiError.unreachable();
    await wait(RESUME_DELAY_MS * 2 ** resumes);
    resumes += 1;
    const id = messageId;
    open = () => transport.resume(id, lastEventId, signal);
  }
}
