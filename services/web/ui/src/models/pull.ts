import { ApiError } from '../api/errors';
import { readEvents } from '../api/sse';
import type { PullProgress } from '../api/types';
import type { Report } from './tasks';

/** The steps of a pull that have words of their own in the dictionaries, by how the runtime's begin. */
const PHASES: readonly [start: string, phase: string][] = [
  ['pulling manifest', 'manifest'],
  ['pulling', 'pulling'],
  ['downloading', 'pulling'],
  ['verifying', 'verifying'],
  ['writing', 'writing'],
];

/** The step behind the runtime's words; those words themselves where it is not a known one. */
export const phaseOf = (status: string): string =>
  PHASES.find(([start]) => status.toLowerCase().startsWith(start))?.[1] ?? status;

/** Adds up the files of one pull: its progress comes file by file. */
export class PullCount {
  private readonly files = new Map<string, { completed: number; total: number }>();

  add(progress: PullProgress): { phase: string; completed: number; total: number | null } {
    const { digest, total } = progress;
    if (digest != null && total != null)
      this.files.set(digest, { completed: progress.completed ?? 0, total });
    const files = [...this.files.values()];
    const sum = (of: 'completed' | 'total') => files.reduce((all, file) => all + file[of], 0);
    return {
      phase: phaseOf(progress.status),
      completed: sum('completed'),
      total: files.length === 0 ? null : sum('total'),
    };
  }
}

/** Reports a pull to its end. Rejects where it fails or breaks off. */
export async function followPull(response: Response, report: Report): Promise<void> {
  if (!response.body) throw ApiError.unreachable();
  const count = new PullCount();
  for await (const { event, data } of readEvents(response.body)) {
    if (event === 'done') return;
    const value = JSON.parse(data) as unknown;
    if (event === 'error') throw ApiError.fromBody({ error: value }, 502);
    if (event === 'progress') report(count.add(value as PullProgress));
  }
  throw ApiError.unreachable();
}
