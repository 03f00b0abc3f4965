import type { Citation, CodedMessage, Outcome, Source, StoredMessage } from '../api/types';
import type { Done, StatusDetail, StreamEvent } from './events';

/** A message on the screen: stored, or still arriving. */
export interface Message {
  id: string;
  parent_id: string | null;
  role: 'user' | 'assistant';
  content: string;
  reasoning: string;
  steps: StatusDetail[];
  sources: Source[];
  droppedSources: number;
  citations: Citation[];
  outcome: Outcome | null;
  done: Done | null;
  model: string | null;
  rating: number | null;
  error: CodedMessage | null;
  /** `pending` until the first event, `running` while text may still come. */
  state: 'pending' | 'running' | 'done' | 'failed';
}

export interface Conversation {
  messages: Message[];
  /** The message that is being written, if any. */
  runningId: string | null;
  /** The branch taken at each fork: parent id (or `''`) to child id. */
  chosen: ReadonlyMap<string, string>;
}

export const emptyConversation: Conversation = { messages: [], runningId: null, chosen: new Map() };

export const PENDING_QUESTION = 'pending-question';
export const PENDING_ANSWER = 'pending-answer';

export type Action =
  | { type: 'loaded'; messages: StoredMessage[] }
  | { type: 'asked'; content: string; parent_id: string | null }
  | { type: 'regenerating'; question_id: string }
  | { type: 'resuming'; id: string }
  | { type: 'event'; event: StreamEvent }
  | { type: 'broken'; error: CodedMessage }
  | { type: 'rated'; id: string; rating: number | null }
  | { type: 'chose'; parent_id: string | null; id: string };

function blank(id: string, role: Message['role'], parent_id: string | null): Message {
  return {
    id,
    parent_id,
    role,
    content: '',
    reasoning: '',
    steps: [],
    sources: [],
    droppedSources: 0,
    citations: [],
    outcome: null,
    done: null,
    model: null,
    rating: null,
    error: null,
    state: 'done',
  };
}

export function fromStored(stored: StoredMessage): Message {
  const message = blank(stored.id, stored.role, stored.parent_id ?? null);
  return {
    ...message,
    content: stored.content,
    reasoning: stored.reasoning ?? '',
    sources: stored.sources ?? [],
    citations: stored.citations ?? [],
    model: stored.model ?? null,
    rating: stored.feedback?.rating ?? null,
    error: stored.error ?? null,
    state: stored.state === 'stopped' ? 'done' : stored.state,
    outcome: stored.outcome ?? (stored.state === 'stopped' ? 'stopped' : null),
  };
}

function patch(
  conversation: Conversation,
  id: string | null,
  change: (message: Message) => Message,
): Conversation {
  return {
    ...conversation,
    messages: conversation.messages.map((message) => (message.id === id ? change(message) : message)),
  };
}

function choose(conversation: Conversation, parent: string | null, id: string): ReadonlyMap<string, string> {
  return new Map(conversation.chosen).set(parent ?? '', id);
}

/** The first event names the messages; until then they carried placeholders. */
function named(conversation: Conversation, id: string, parentId: string | null): Conversation {
  const running = conversation.runningId;
  if (running === id) return conversation;
  // A resumed stream names again what is already here: take that one up.
  const messages = conversation.messages
    .filter((message) => message.id !== id || message.id === running)
    .map((message) => {
      if (message.id === running) return { ...message, id, parent_id: parentId, state: 'running' as const };
      if (message.id === PENDING_QUESTION && parentId) return { ...message, id: parentId };
      return message;
    });
  const chosen = new Map<string, string>();
  const rename = (value: string) =>
    value === PENDING_QUESTION && parentId ? parentId : value === running ? id : value;
  for (const [parent, child] of conversation.chosen) chosen.set(rename(parent), rename(child));
  return { messages, runningId: id, chosen };
}

function applyEvent(conversation: Conversation, event: StreamEvent): Conversation {
  const running = conversation.runningId;
  const change = (fields: (message: Message) => Partial<Message>) =>
    patch(conversation, running, (message) => ({ ...message, state: 'running', ...fields(message) }));
  switch (event.type) {
    case 'message':
      return named(conversation, event.id, event.parent_id ?? null);
    case 'status':
      return change((message) => ({
        // A repeated step (the queue position going down) replaces its last report.
        steps: [...message.steps.filter((step) => step.step !== event.step), event],
      }));
    case 'sources':
      return change(() => ({ sources: event.items, droppedSources: event.dropped ?? 0 }));
    case 'reasoning':
      return change((message) => ({ reasoning: message.reasoning + event.text }));
    case 'delta':
      return change((message) => ({ content: message.content + event.text }));
    case 'citations':
      return change(() => ({ citations: event.items }));
    case 'done': {
      const ended = change(() => ({
        state: 'done',
        done: event,
        outcome: event.outcome,
        model: event.model,
      }));
      return { ...ended, runningId: null };
    }
    case 'error': {
      const failed = change(() => ({
        state: 'failed',
        error: { code: event.code, message: event.message },
      }));
      return { ...failed, runningId: null };
    }
  }
}

export function reduce(conversation: Conversation, action: Action): Conversation {
  switch (action.type) {
    case 'loaded': {
      const messages = action.messages.map(fromStored);
      const running = messages.findLast((message) => message.state === 'running');
      return { messages, runningId: running?.id ?? null, chosen: conversation.chosen };
    }
    case 'asked': {
      const question = { ...blank(PENDING_QUESTION, 'user', action.parent_id), content: action.content };
      const answer: Message = { ...blank(PENDING_ANSWER, 'assistant', PENDING_QUESTION), state: 'pending' };
      return {
        messages: [...conversation.messages, question, answer],
        runningId: PENDING_ANSWER,
        chosen: choose(conversation, action.parent_id, PENDING_QUESTION),
      };
    }
    case 'regenerating': {
      const answer: Message = { ...blank(PENDING_ANSWER, 'assistant', action.question_id), state: 'pending' };
      return {
        messages: [...conversation.messages, answer],
        runningId: PENDING_ANSWER,
        chosen: choose(conversation, action.question_id, PENDING_ANSWER),
      };
    }
    case 'resuming':
      // The stream is replayed from its start, so what it will say again is cleared.
      return {
        ...patch(conversation, action.id, (message) => ({
          ...blank(message.id, message.role, message.parent_id),
          state: 'running',
        })),
        runningId: action.id,
      };
    case 'event':
      return applyEvent(conversation, action.event);
    case 'broken':
      return {
        ...patch(conversation, conversation.runningId, (message) => ({
          ...message,
          state: 'failed',
          error: action.error,
        })),
        runningId: null,
      };
    case 'rated':
      return patch(conversation, action.id, (message) => ({ ...message, rating: action.rating }));
    case 'chose':
      return { ...conversation, chosen: choose(conversation, action.parent_id, action.id) };
  }
}
