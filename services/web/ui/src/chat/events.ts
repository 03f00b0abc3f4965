import type { AnswerEvent } from '../api/types';

/** An event as it stands in the stream: the fields of its data beside its name. */
type Flat<Event> = Event extends { event: infer Name; data: infer Data } ? { type: Name } & Data : never;

/** What the answer stream says. */
export type StreamEvent = Flat<AnswerEvent>;
export type StatusDetail = Omit<Extract<StreamEvent, { type: 'status' }>, 'type'>;
export type Done = Omit<Extract<StreamEvent, { type: 'done' }>, 'type'>;

const TYPES: readonly string[] = [
  'message',
  'status',
  'sources',
  'reasoning',
  'delta',
  'citations',
  'done',
  'error',
] satisfies StreamEvent['type'][];

/** `null` for an event that this version does not know, or whose data is not an object. */
export function parseStreamEvent(name: string, data: string): StreamEvent | null {
  if (!TYPES.includes(name)) return null;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null) return null;
    return { ...value, type: name } as StreamEvent;
  } catch {
    return null;
  }
}
