import { describe, expect, it } from 'vitest';
import type { StoredMessage } from '../api/types';
import { emptyConversation, reduce, type Action, type Conversation } from './conversation';
import { parseStreamEvent, type StreamEvent } from './events';
import { visiblePath } from './tree';

const play = (actions: Action[], from: Conversation = emptyConversation) => actions.reduce(reduce, from);
const events = (...list: StreamEvent[]): Action[] => list.map((event) => ({ type: 'event', event }));
const asked: Action = { type: 'asked', content: '年假几天？', parent_id: null };
const named: StreamEvent = { type: 'message', id: 'a1', parent_id: 'q1' };
const done: StreamEvent = {
  type: 'done',
  message_id: 'a1',
  model: 'm',
  usage: { prompt_tokens: 1, completion_tokens: 2 },
  timings_ms: {},
  outcome: 'answered',
  grounded: true,
  truncated: false,
  cached: false,
};

describe('conversation', () => {
  it('shows the question at once and takes the names that the server gives', () => {
    const before = play([asked]);
    expect(before.messages.map((message) => message.state)).toEqual(['done', 'pending']);
    const after = play(events(named), before);
    expect(after.messages.map((message) => [message.id, message.parent_id])).toEqual([
      ['q1', null],
      ['a1', 'q1'],
    ]);
    expect(after.runningId).toBe('a1');
    expect(visiblePath(after.messages, after.chosen).map((step) => step.message.id)).toEqual(['q1', 'a1']);
  });

  it('collects text, sources and citations until done', () => {
    const source = { n: 1, kind: 'document' as const, title: 't', excerpt: 'e', score: 1 };
    const citation = { n: 1, sentence: 's', supported: false, score: 0.1 };
    const state = play([
      asked,
      ...events(
        named,
        { type: 'status', step: 'queued', position: 2 },
        { type: 'status', step: 'queued', position: 1 },
        { type: 'status', step: 'retrieving' },
        { type: 'sources', items: [source], dropped: 3 },
        { type: 'delta', text: '十' },
        { type: 'delta', text: '天[1]' },
        { type: 'citations', items: [citation] },
        done,
      ),
    ]);
    const answer = state.messages[1];
    expect(answer).toMatchObject({
      content: '十天[1]',
      sources: [source],
      droppedSources: 3,
      citations: [citation],
      outcome: 'answered',
      state: 'done',
    });
    expect(answer?.steps.map((step) => [step.step, step.position])).toEqual([
      ['queued', 1],
      ['retrieving', undefined],
    ]);
    expect(state.runningId).toBeNull();
  });

  it('keeps the text that came before an error', () => {
    const state = play([
      asked,
      ...events(
        named,
        { type: 'delta', text: 'ab' },
        { type: 'error', code: 'generation_failed', message: 'm' },
      ),
    ]);
    expect(state.messages[1]).toMatchObject({ content: 'ab', state: 'failed' });
    expect(state.messages[1]?.error?.code).toBe('generation_failed');
  });

  it('a broken connection fails the running answer only', () => {
    const state = play([
      asked,
      ...events(named, done),
      { type: 'broken', error: { code: 'unreachable', message: '' } },
    ]);
    expect(state.messages.map((message) => message.state)).toEqual(['done', 'done']);
  });

  it('regenerating adds a sibling and shows it', () => {
    const state = play([
      asked,
      ...events(named, done),
      { type: 'regenerating', question_id: 'q1' },
      ...events({ type: 'message', id: 'a2', parent_id: 'q1' }, { type: 'delta', text: 'x' }),
    ]);
    const path = visiblePath(state.messages, state.chosen);
    expect(path[1]).toMatchObject({ message: { id: 'a2', content: 'x' }, siblings: ['a1', 'a2'] });
  });

  it('resuming a running answer replays it without doubling its text', () => {
    const stored = (id: string, role: 'user' | 'assistant', parent_id: string | null, content: string) =>
      ({
        id,
        role,
        parent_id,
        content,
        state: role === 'user' ? 'done' : 'running',
        created_at: '',
      }) as StoredMessage;
    const loaded = play([
      {
        type: 'loaded',
        messages: [stored('q1', 'user', null, 'q'), stored('a1', 'assistant', 'q1', 'half')],
      },
    ]);
    expect(loaded.runningId).toBe('a1');
    const state = play(
      [{ type: 'resuming', id: 'a1' }, ...events(named, { type: 'delta', text: 'half and more' })],
      loaded,
    );
    expect(state.messages.map((message) => message.content)).toEqual(['q', 'half and more']);
  });
});

describe('parseStreamEvent', () => {
  it('ignores what it does not know', () => {
    expect(parseStreamEvent('delta', '{"text":"x"}')).toEqual({ type: 'delta', text: 'x' });
    expect(parseStreamEvent('later', '{}')).toBeNull();
    expect(parseStreamEvent('delta', 'nonsense')).toBeNull();
    expect(parseStreamEvent('delta', '3')).toBeNull();
  });
});
