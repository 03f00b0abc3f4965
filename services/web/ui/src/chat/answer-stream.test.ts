import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/errors';
import { followAnswer, MAX_RESUMES } from './answer-stream';
import type { StreamEvent } from './events';

/** A response that says these lines and then ends, or breaks. */
function response(lines: string, broken = false): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(lines));
        if (broken) controller.error(new TypeError('network error'));
        else controller.close();
      },
    }),
  );
}

const event = (id: number, name: string, data: object) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const start = event(1, 'message', { id: 'a1', parent_id: 'q1' }) + event(2, 'delta', { text: 'ab' });
const rest = event(3, 'delta', { text: 'cd' }) + event(4, 'done', { message_id: 'a1' });

async function follow(responses: (() => Response)[], signal = new AbortController().signal) {
  const seen: StreamEvent[] = [];
  const resumedAfter: (string | null)[] = [];
  let next = 0;
  const take = () => {
    const make = responses[next++];
    if (!make) throw new TypeError('connection refused');
    return Promise.resolve(make());
  };
  const outcome = await followAnswer(
    {
      open: async () => take(),
      resume: async (_id, last) => {
        resumedAfter.push(last);
        return take();
      },
      wait: () => Promise.resolve(),
    },
    (item) => seen.push(item),
    signal,
  ).then(
    () => null,
    (cause: unknown) => ApiError.of(cause),
  );
  const text = seen.map((item) => (item.type === 'delta' ? item.text : '')).join('');
  return { seen, text, resumedAfter, outcome };
}

describe('followAnswer', () => {
  it('delivers a whole answer', async () => {
    const { text, seen, outcome } = await follow([() => response(start + rest)]);
    expect([text, seen.at(-1)?.type, outcome]).toEqual(['abcd', 'done', null]);
  });

  it('resumes a stream that was cut after its last event', async () => {
    const { text, resumedAfter } = await follow([() => response(start), () => response(rest)]);
    expect([text, resumedAfter]).toEqual(['abcd', ['2']]);
  });

  it('gives up after a bounded number of tries in a row', async () => {
    const { text, resumedAfter, outcome } = await follow([() => response(start)]);
    expect([text, resumedAfter.length, outcome?.code]).toEqual(['ab', MAX_RESUMES, 'unreachable']);
  });

  it('does not ask again when the server refuses', async () => {
    const { resumedAfter, outcome } = await follow([
      () => {
        throw new ApiError('not_found', 'no such chat', 404);
      },
    ]);
    expect([resumedAfter.length, outcome?.code]).toEqual([0, 'not_found']);
  });

  it('does not post a question twice when no answer began', async () => {
    const { resumedAfter, outcome } = await follow([]);
    expect([resumedAfter.length, outcome?.code]).toEqual([0, 'unreachable']);
  });

  it('ends quietly when the reader leaves', async () => {
    const controller = new AbortController();
    controller.abort();
    const { outcome, seen } = await follow([() => response(start)], controller.signal);
    expect([outcome, seen.length]).toEqual([null, 0]);
  });
});
