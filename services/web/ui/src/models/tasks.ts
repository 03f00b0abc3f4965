/** Long work on models: fetching, sending, taking in an archive. It goes on while other pages are looked at. */
import type { CodedMessage } from '../api/types';

export type TaskKind = 'pull' | 'upload' | 'import';

export interface Progress {
  /** What is being done; `null` before anything is known. */
  phase: string | null;
  /** Bytes that are done. */
  completed: number;
  /** Bytes in all; `null` while unknown. */
  total: number | null;
}

export interface Task extends Progress {
  key: number;
  kind: TaskKind;
  /** The model or file that it is about. */
  name: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  error: CodedMessage | null;
}

export type Report = (progress: Partial<Progress>) => void;
export type Work = (report: Report, signal: AbortSignal) => Promise<void>;

/** Ended tasks that stay listed. */
const MAX_ENDED = 20;

export class ModelTasks {
  private tasks: readonly Task[] = [];
  private readonly aborts = new Map<number, AbortController>();
  private readonly listeners = new Set<() => void>();
  private nextKey = 1;

  constructor(
    private readonly failureOf: (cause: unknown) => CodedMessage,
    /** Told when there may be another model than before. */
    private readonly onDone: () => void,
  ) {}

  snapshot = (): readonly Task[] => this.tasks;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  isRunning(kind: TaskKind, name: string): boolean {
    return this.tasks.some((task) => task.kind === kind && task.name === name && task.state === 'running');
  }

  /** Starts the work, unless the same is being done. Resolves when it has ended, however it did. */
  async start(kind: TaskKind, name: string, work: Work): Promise<void> {
    if (this.isRunning(kind, name)) return;
    const key = this.nextKey;
    this.nextKey += 1;
    const abort = new AbortController();
    this.aborts.set(key, abort);
    // A new try takes the place of an old one that has ended.
    const others = this.tasks.filter((task) => task.kind !== kind || task.name !== name);
    const task: Task = {
      key,
      kind,
      name,
      state: 'running',
      error: null,
      phase: null,
      completed: 0,
      total: null,
    };
    this.set([task, ...others].filter((item, at) => item.state === 'running' || at <= MAX_ENDED));
    try {
      await work((progress) => this.change(key, progress), abort.signal);
      this.change(key, { state: 'done' });
      this.onDone();
    } catch (cause) {
      this.change(
        key,
        abort.signal.aborted ? { state: 'cancelled' } : { state: 'failed', error: this.failureOf(cause) },
      );
    }
    this.aborts.delete(key);
  }

  cancel(key: number): void {
    this.aborts.get(key)?.abort();
  }

  dismiss(key: number): void {
    this.set(this.tasks.filter((task) => task.key !== key || task.state === 'running'));
  }

  /** Another person may sign in next. */
  forget(): void {
    for (const abort of this.aborts.values()) abort.abort();
    this.set([]);
  }

  private change(key: number, part: Partial<Task>): void {
    this.set(this.tasks.map((task) => (task.key === key ? { ...task, ...part } : task)));
  }

  private set(tasks: readonly Task[]): void {
    this.tasks = tasks;
    for (const listener of this.listeners) listener();
  }
}

/** The share that is done, 0 to 1; `null` while it is unknown. */
export function shareOf({ completed, total }: Progress): number | null {
  return total === null || total <= 0 ? null : Math.min(1, completed / total);
}
