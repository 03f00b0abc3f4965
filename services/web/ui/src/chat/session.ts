import * as api from '../api/endpoints';
import { ApiError } from '../api/errors';
import { followAnswer, type StreamTransport } from './answer-stream';
import { emptyConversation, reduce, type Action, type Conversation } from './conversation';

export interface AskOptions {
  model?: string;
  knowledge_base_ids?: string[];
  web_search?: boolean;
  web_query?: string;
}

/** One open chat: its conversation, and the answer that is being followed. */
export class ChatSession {
  private conversation: Conversation = emptyConversation;
  private listeners = new Set<() => void>();
  private following: AbortController | null = null;

  constructor(readonly chatId: string) {}

  snapshot = (): Conversation => this.conversation;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dispatch(action: Action): void {
    this.conversation = reduce(this.conversation, action);
    for (const listener of this.listeners) listener();
  }

  /** Reads the stored messages, and picks up an answer that is still being written. */
  async load(): Promise<void> {
    const before = this.conversation;
    const messages = await api.listMessages(this.chatId);
    // A question may have been asked, and even answered, while the list was on its way: what is here is newer.
    if (this.conversation !== before || this.following) return;
    this.dispatch({ type: 'loaded', messages });
    const running = this.conversation.runningId;
    if (!running) return;
    this.dispatch({ type: 'resuming', id: running });
    await this.follow((signal) => api.resumeAnswer(this.chatId, running, null, signal), running);
  }

  ask(content: string, parentId: string | null, options: AskOptions): Promise<void> {
    this.dispatch({ type: 'asked', content, parent_id: parentId });
    // Null is said: it begins the chat anew, where leaving the field out would go on from the newest message.
    const question = { content, ...options, parent_id: parentId };
    return this.follow((signal) => api.ask(this.chatId, question, signal));
  }

  regenerate(answerId: string, questionId: string): Promise<void> {
    this.dispatch({ type: 'regenerating', question_id: questionId });
    return this.follow((signal) => api.regenerate(this.chatId, answerId, signal));
  }

  /** Asks the server to stop; the stream then ends by itself with what was written. */
  async stop(): Promise<void> {
    const running = this.conversation.runningId;
    if (running) await api.stopAnswer(this.chatId, running);
  }

  async rate(id: string, rating: number): Promise<void> {
    const before = this.conversation.messages.find((message) => message.id === id)?.rating ?? null;
    this.dispatch({ type: 'rated', id, rating });
    try {
      await api.rate(this.chatId, id, { rating });
    } catch (cause) {
      this.dispatch({ type: 'rated', id, rating: before });
      throw cause;
    }
  }

  /** Stops following; the server goes on writing, and `load` picks the answer up again. */
  leave(): void {
    this.following?.abort();
    this.following = null;
  }

  private async follow(open: StreamTransport['open'], messageId: string | null = null): Promise<void> {
    this.following?.abort();
    const controller = new AbortController();
    this.following = controller;
    const transport: StreamTransport = {
      open,
      resume: (id, lastEventId, signal) => api.resumeAnswer(this.chatId, id, lastEventId, signal),
    };
    try {
      await followAnswer(
        transport,
        (event) => this.dispatch({ type: 'event', event }),
        controller.signal,
        messageId,
      );
    } catch (cause) {
      const { code, message } = ApiError.of(cause);
      if (!controller.signal.aborted) this.dispatch({ type: 'broken', error: { code, message } });
    } finally {
      if (this.following === controller) this.following = null;
    }
  }
}
