import { expect, it } from 'vitest';
import type { Source } from '../api/types';
import { emptyConversation, reduce, type Action, type Message } from './conversation';
import { searchedInVain } from './web-note';

const page: Source = { n: 1, kind: 'web', title: 'T', excerpt: 'E', score: 0.1, url: 'https://a.example' };
const step = (name: 'retrieving' | 'searching'): Action => ({
  type: 'event',
  event: { type: 'status', step: name },
});
const sources = (items: Source[]): Action => ({
  type: 'event',
  event: { type: 'sources', items, dropped: 0 },
});
const done: Action = {
  type: 'event',
  event: {
    type: 'done',
    message_id: 'a1',
    model: 'm',
    outcome: 'answered',
    grounded: true,
    truncated: false,
    cached: false,
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    timings_ms: {},
  },
};

const answer = (...actions: Action[]) =>
  [{ type: 'asked', content: 'q', parent_id: null } as Action, ...actions]
    .reduce(reduce, emptyConversation)
    .messages.at(-1) as Message;

it.each([
  ['the web was searched and nothing came of it', [step('searching'), sources([]), done], true],
  ['a page came of it', [step('searching'), sources([page]), done], false],
  ['only documents were asked', [step('retrieving'), sources([]), done], false],
  ['the answer is still being written', [step('searching'), sources([])], false],
])('%s', (_, actions, expected) => {
  expect(searchedInVain(answer(...actions))).toBe(expected);
});
