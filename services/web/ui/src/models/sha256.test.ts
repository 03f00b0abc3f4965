import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256 } from './sha256';

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 3)) % 256);

describe('the digest', () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])(
    'of %i bytes is the one that everybody computes',
    (n) => {
      expect(new Sha256().update(bytes(n)).hex()).toBe(createHash('sha256').update(bytes(n)).digest('hex'));
    },
  );

  it('does not depend on how the data is cut', () => {
    const data = bytes(5000);
    const hash = new Sha256();
    for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7) % 211) {
      hash.update(data.subarray(at, at + size));
    }
    expect(hash.hex()).toBe(createHash('sha256').update(data).digest('hex'));
  });
});
