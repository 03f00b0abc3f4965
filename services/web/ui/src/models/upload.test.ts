import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf, nameFor } from './upload';

describe('the digest of a file', () => {
  it('is found piece by piece, and says how far it is', async () => {
    const data = new Uint8Array(5 * 1024 * 1024).fill(7);
    const seen: number[] = [];
    const signal = new AbortController().signal;
    const digest = await digestOf(
      new Blob([data]),
      (progress) => seen.push(progress.completed ?? -1),
      signal,
    );
    expect(digest).toBe(createHash('sha256').update(data).digest('hex'));
    expect(seen).toEqual([4 * 1024 * 1024, 5 * 1024 * 1024]);
  });

  it('is given up when it is cancelled', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(digestOf(new Blob(['x']), () => undefined, abort.signal)).rejects.toThrow();
  });
});

describe('the name for a file', () => {
  it('is the name that the file has, as far as models may have it', () => {
    expect(nameFor('Qwen3-4B-Q4_K_M.gguf')).toBe('qwen3-4b-q4_k_m');
    expect(nameFor('我的 model (1).GGUF')).toBe('model-1');
  });
});
