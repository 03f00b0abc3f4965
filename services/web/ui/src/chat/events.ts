import type { Citation, Done, Source } from '../api/types';

/** The steps of an answer, in the order in which they may come. */
export const STEPS = [
  'queued',
  'condensing',
  'retrieving',
  'searching',
  'reading',
  'generating',
  'verifying',
] as const;
export type Step = (typeof STEPS)[number];

export interface StatusDetail {
  step: string;
  detail?: string | null;
  position?: number | null;
}

/** What the answer stream says. */
export type StreamEvent =
  | { type: 'message'; id: string; parent_id: string | null }
  | ({ type: 'status' } & StatusDetail)
  | { type: 'sources'; items: Source[]; dropped: number }
  | { type: 'reasoning'; text: string }
  | { type: 'delta'; text: string }
  | { type: 'citations'; items: Citation[] }
  | ({ type: 'done' } & Done)
  | { type: 'error'; code: string; message: string };

const TYPES = new Set(['message', 'status', 'sources', 'reasoning', 'delta', 'citations', 'done', 'error']);

/** `null` for an event that this version does not know, or whose data is not an object. */
export function parseStreamEvent(name: string, data: string): StreamEvent | null {
  if (!TYPES.has(name)) return null;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null) return null;
    return { ...value, type: name } as StreamEvent;
  } catch {
    return null;
  }
}
