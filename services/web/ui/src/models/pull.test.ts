import { describe, expect, it } from 'vitest';
import { followPull, phaseOf, PullCount } from './pull';
import type { Progress } from './tasks';

describe('the count of a pull', () => {
  it('adds its files up', () => {
    const count = new PullCount();
    expect(count.add({ status: 'pulling manifest' })).toEqual({
      phase: 'manifest',
      completed: 0,
      total: null,
    });
    count.add({ status: 'pulling', digest: 'a', total: 10, completed: 10 });
    const both = count.add({ status: 'pulling', digest: 'b', total: 30, completed: 5 });
    expect(both).toEqual({ phase: 'pulling', completed: 15, total: 40 });
    expect(count.add({ status: 'verifying' }).completed).toBe(15);
  });
});

describe('the step of a pull', () => {
  it('has a name where it is known, and the runtime’s words where not', () => {
    expect(
      ['pulling 6a0746a1ec1a', 'verifying sha256 digest', 'writing manifest', 'mending'].map(phaseOf),
    ).toEqual(['pulling', 'verifying', 'writing', 'mending']);
  });
});

describe('following a pull', () => {
  const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  it('reports until it is done', async () => {
    const seen: Partial<Progress>[] = [];
    const text =
      event('progress', { status: 'pulling', digest: 'a', total: 2, completed: 1 }) + event('done', {});
    await followPull(new Response(text), (progress) => seen.push(progress));
    expect(seen).toEqual([{ phase: 'pulling', completed: 1, total: 2 }]);
  });

  it('fails with what the server says, and when the stream breaks off', async () => {
    const refused = followPull(
      new Response(event('error', { code: 'storage_unavailable', message: 'the disk is full' })),
      () => undefined,
    );
    await expect(refused).rejects.toMatchObject({ code: 'storage_unavailable', message: 'the disk is full' });
    await expect(followPull(new Response(''), () => undefined)).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});
