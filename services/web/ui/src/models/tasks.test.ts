import { describe, expect, it, vi } from 'vitest';
import { ModelTasks, shareOf, type Report } from './tasks';

const failureOf = (cause: unknown) => ({ code: 'x', message: String(cause) });

describe('tasks', () => {
  it('report how far they are and tell when they are done', async () => {
    const done = vi.fn();
    const tasks = new ModelTasks(failureOf, done);
    let report: Report = () => undefined;
    let end: () => void = () => undefined;
    const ended = tasks.start('pull', 'qwen3', (tell) => {
      report = tell;
      return new Promise((resolve) => (end = resolve));
    });
    report({ phase: 'pulling', completed: 1, total: 4 });
    expect(tasks.snapshot()).toMatchObject([
      { name: 'qwen3', state: 'running', phase: 'pulling', completed: 1 },
    ]);
    expect(tasks.isRunning('pull', 'qwen3')).toBe(true);
    end();
    await ended;
    expect(tasks.snapshot()).toMatchObject([{ state: 'done' }]);
    expect(done).toHaveBeenCalledOnce();
  });

  it('are not begun twice, and a new try takes the place of one that failed', async () => {
    const tasks = new ModelTasks(failureOf, () => undefined);
    await tasks.start('pull', 'a', () => Promise.reject(new Error('full')));
    expect(tasks.snapshot()).toMatchObject([{ state: 'failed', error: { message: 'Error: full' } }]);
    void tasks.start('pull', 'a', () => new Promise(() => undefined));
    void tasks.start('pull', 'a', () => Promise.reject(new Error('twice')));
    expect(tasks.snapshot()).toMatchObject([{ state: 'running' }]);
    expect(tasks.snapshot()).toHaveLength(1);
  });

  it('end when they are cancelled, and can then be put away', async () => {
    const tasks = new ModelTasks(failureOf, () => undefined);
    const ended = tasks.start(
      'upload',
      'a',
      (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('left')))),
    );
    const key = tasks.snapshot()[0]?.key ?? 0;
    tasks.dismiss(key);
    expect(tasks.snapshot()).toHaveLength(1);
    tasks.cancel(key);
    await ended;
    expect(tasks.snapshot()).toMatchObject([{ state: 'cancelled', error: null }]);
    tasks.dismiss(key);
    expect(tasks.snapshot()).toHaveLength(0);
  });
});

describe('the share that is done', () => {
  it('is unknown without a total and never more than all', () => {
    const share = (completed: number, total: number | null) => shareOf({ phase: null, completed, total });
    expect([share(1, null), share(1, 0), share(1, 4), share(5, 4)]).toEqual([null, null, 0.25, 1]);
  });
});
