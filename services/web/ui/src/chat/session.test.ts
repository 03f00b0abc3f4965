import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '../api/endpoints';
import type { StoredMessage } from '../api/types';
import { ChatSession } from './session';

vi.mock('../api/endpoints');
const calls = vi.mocked(api);

const event = (id: number, name: string, data: object) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const ANSWER =
  event(1, 'message', { id: 'a1', parent_id: 'q1' }) +
  event(2, 'delta', { text: 'ten days' }) +
  event(3, 'done', { message_id: 'a1', outcome: 'answered', model: 'm' });

const stored = (id: string, parent_id: string | null, state: StoredMessage['state'], content: string) =>
  ({ id, parent_id, role: parent_id ? 'assistant' : 'user', state, content }) as StoredMessage;
const contents = (session: ChatSession) => session.snapshot().messages.map((message) => message.content);

beforeEach(() => vi.resetAllMocks());

describe('ChatSession', () => {
  it('shows an answer as it comes', async () => {
    calls.ask.mockResolvedValue(new Response(ANSWER));
    const session = new ChatSession('c1');
    await session.ask('how many?', null, {});
    expect(contents(session)).toEqual(['how many?', 'ten days']);
    expect(calls.ask).toHaveBeenCalledWith(
      'c1',
      { content: 'how many?', parent_id: null },
      expect.anything(),
    );
  });

  it('is not emptied by a list that was on its way before the question', async () => {
    let deliver: (messages: StoredMessage[]) => void = () => undefined;
    calls.listMessages.mockReturnValue(new Promise((resolve) => (deliver = resolve)));
    calls.ask.mockResolvedValue(new Response(ANSWER));
    const session = new ChatSession('c1');
    const loading = session.load();
    await session.ask('how many?', null, {});
    deliver([]);
    await loading;
    expect(contents(session)).toEqual(['how many?', 'ten days']);
  });

  it('picks up an answer that was being written when the page was opened', async () => {
    calls.listMessages.mockResolvedValue([
      stored('q1', null, 'done', 'how many?'),
      stored('a1', 'q1', 'running', 'ten'),
    ]);
    calls.resumeAnswer.mockResolvedValue(new Response(ANSWER));
    const session = new ChatSession('c1');
    await session.load();
    expect(calls.resumeAnswer).toHaveBeenCalledWith('c1', 'a1', null, expect.anything());
    expect(contents(session)).toEqual(['how many?', 'ten days']);
    expect(session.snapshot().runningId).toBeNull();
  });

  it('takes a rating back when it could not be kept', async () => {
    calls.listMessages.mockResolvedValue([stored('q1', null, 'done', 'q'), stored('a1', 'q1', 'done', 'a')]);
    calls.rate.mockRejectedValue(new TypeError('failed to fetch'));
    const session = new ChatSession('c1');
    await session.load();
    const rating = session.rate('a1', 1);
    expect(session.snapshot().messages[1]?.rating).toBe(1);
    await expect(rating).rejects.toThrow();
    expect(session.snapshot().messages[1]?.rating).toBeNull();
  });
});
