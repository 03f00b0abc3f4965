import type { CodedMessage } from '../api/types';

/** Files sent at once: enough to fill a link, few enough to leave connections for the rest of the page. */
export const MAX_CONCURRENT_UPLOADS = 3;

export type UploadState = 'waiting' | 'sending' | 'accepted' | 'duplicate' | 'failed' | 'cancelled';

export interface UploadItem<F> {
  key: number;
  file: F;
  /** The path within the dropped folder, if there was one. */
  path: string | null;
  state: UploadState;
  /** 0 to 1, of the bytes sent. */
  sent: number;
  error: CodedMessage | null;
  documentId: string | null;
}

export interface Accepted {
  documentId: string;
  duplicate: boolean;
}

/** Sends one file; rejects with a coded error. */
export type Send<F> = (
  item: UploadItem<F>,
  report: (sent: number) => void,
  signal: AbortSignal,
) => Promise<Accepted>;

const ENDED: ReadonlySet<UploadState> = new Set(['accepted', 'duplicate', 'failed', 'cancelled']);

/** Sends files a few at a time; one that fails does so alone. */
export class UploadQueue<F> {
  private items: UploadItem<F>[] = [];
  private listeners = new Set<() => void>();
  private running = new Map<number, AbortController>();
  private nextKey = 1;

  constructor(
    private readonly send: Send<F>,
    private readonly toError: (cause: unknown) => CodedMessage,
    private readonly concurrency = MAX_CONCURRENT_UPLOADS,
  ) {}

  /** An immutable list: a new one after every change. */
  snapshot = (): readonly UploadItem<F>[] => this.items;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  add(files: readonly { file: F; path: string | null }[]): void {
    const added = files.map(({ file, path }): UploadItem<F> => ({
      key: this.nextKey++,
      file,
      path,
      state: 'waiting',
      sent: 0,
      error: null,
      documentId: null,
    }));
    this.change([...this.items, ...added]);
    this.pump();
  }

  retry(key: number): void {
    this.patch(key, { state: 'waiting', sent: 0, error: null });
    this.pump();
  }

  cancel(key: number): void {
    this.patch(key, { state: 'cancelled' });
    this.running.get(key)?.abort();
  }

  cancelAll(): void {
    for (const item of this.items) if (!ENDED.has(item.state)) this.cancel(item.key);
  }

  /** Forgets what has ended. */
  clear(): void {
    this.change(this.items.filter((item) => !ENDED.has(item.state)));
  }

  private pump(): void {
    for (const item of this.items) {
      if (this.running.size >= this.concurrency) return;
      if (item.state === 'waiting') void this.start(item);
    }
  }

  private async start(item: UploadItem<F>): Promise<void> {
    const controller = new AbortController();
    this.running.set(item.key, controller);
    this.patch(item.key, { state: 'sending' });
    try {
      const accepted = await this.send(item, (sent) => this.patch(item.key, { sent }), controller.signal);
      this.patch(item.key, {
        state: accepted.duplicate ? 'duplicate' : 'accepted',
        sent: 1,
        documentId: accepted.documentId,
      });
    } catch (cause) {
      if (!controller.signal.aborted) this.patch(item.key, { state: 'failed', error: this.toError(cause) });
    } finally {
      this.running.delete(item.key);
      this.pump();
    }
  }

  private patch(key: number, change: Partial<UploadItem<F>>): void {
    this.change(this.items.map((item) => (item.key === key ? { ...item, ...change } : item)));
  }

  private change(items: UploadItem<F>[]): void {
    this.items = items;
    for (const listener of this.listeners) listener();
  }
}

export interface UploadSummary {
  total: number;
  ended: number;
  failed: number;
  /** 0 to 1, by files. */
  progress: number;
}

export function summarise(items: readonly UploadItem<unknown>[]): UploadSummary {
  const ended = items.filter((item) => ENDED.has(item.state)).length;
  const failed = items.filter((item) => item.state === 'failed').length;
  const sent = items.reduce((sum, item) => sum + (ENDED.has(item.state) ? 1 : item.sent), 0);
  return { total: items.length, ended, failed, progress: items.length === 0 ? 0 : sent / items.length };
}
