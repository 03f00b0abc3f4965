import { describe, expect, it } from 'vitest';
import { summarise, UploadQueue, type Accepted, type UploadItem } from './queue';

interface Call {
  item: UploadItem<string>;
  report: (sent: number) => void;
  resolve: (accepted: Accepted) => void;
  reject: (cause: unknown) => void;
}

function queueUnderTest(concurrency = 2) {
  const calls: Call[] = [];
  const queue = new UploadQueue<string>(
    (item, report, signal) =>
      new Promise((resolve, reject) => {
        calls.push({ item, report, resolve, reject });
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
    (cause) => ({ code: 'unexpected', message: String(cause) }),
    concurrency,
  );
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { queue, calls, settle, states: () => queue.snapshot().map((item) => item.state) };
}

const files = (...names: string[]) => names.map((file) => ({ file, path: null }));

describe('UploadQueue', () => {
  it('sends at most as many at once as it may, and goes on when one ends', async () => {
    const { queue, calls, settle, states } = queueUnderTest();
    queue.add(files('a', 'b', 'c'));
    expect(states()).toEqual(['sending', 'sending', 'waiting']);
    calls[0]?.resolve({ documentId: 'd1', duplicate: false });
    await settle();
    expect(states()).toEqual(['accepted', 'sending', 'sending']);
    expect(queue.snapshot()[0]?.documentId).toBe('d1');
  });

  it('a file that fails does so alone and can be tried again', async () => {
    const { queue, calls, settle, states } = queueUnderTest();
    queue.add(files('a', 'b'));
    calls[0]?.reject('too large');
    calls[1]?.resolve({ documentId: 'd2', duplicate: true });
    await settle();
    expect(states()).toEqual(['failed', 'duplicate']);
    expect(queue.snapshot()[0]?.error?.message).toBe('too large');
    queue.retry(1);
    expect(states()).toEqual(['sending', 'duplicate']);
  });

  it('a cancelled file is not an error, whether it waits or is on its way', async () => {
    const { queue, calls, settle, states } = queueUnderTest(1);
    queue.add(files('a', 'b'));
    queue.cancelAll();
    await settle();
    expect(states()).toEqual(['cancelled', 'cancelled']);
    expect(calls).toHaveLength(1);
    queue.clear();
    expect(queue.snapshot()).toEqual([]);
  });

  it('tells its listeners, and counts bytes on the way into the progress', () => {
    const { queue, calls } = queueUnderTest();
    let changes = 0;
    queue.subscribe(() => (changes += 1));
    queue.add(files('a', 'b'));
    calls[0]?.report(0.5);
    expect(changes).toBeGreaterThan(2);
    expect(summarise(queue.snapshot())).toEqual({ total: 2, ended: 0, failed: 0, progress: 0.25 });
  });
});
