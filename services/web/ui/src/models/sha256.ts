/**
 * SHA-256 of data that arrives in pieces (FIPS 180-4). The browser's own digest wants all bytes at once, and a model's
 * file does not fit into memory.
 */
const ROUNDS = 64;
const BLOCK_BYTES = 64;
/** Bytes at the end of the last block that say how long the data was. */
const LENGTH_BYTES = 8;

const isPrime = (number: number) => {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) return false;
  return true;
};

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number += 1) if (isPrime(number)) found.push(number);
  return found;
}

/** The first 32 bits of a number's fraction. */
const fraction = (number: number) => Math.floor((number % 1) * 2 ** 32) | 0;
const CONSTANTS = Int32Array.from(primes(ROUNDS), (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

export class Sha256 {
  private readonly state = START.slice();
  private readonly words = new Int32Array(ROUNDS);
  /** What came since the last whole block. */
  private readonly rest = new Uint8Array(BLOCK_BYTES);
  private restBytes = 0;
  private totalBytes = 0;

  update(data: Uint8Array): this {
    this.totalBytes += data.length;
    let at = 0;
    if (this.restBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.restBytes, data.length);
      this.rest.set(data.subarray(0, at), this.restBytes);
      this.restBytes += at;
      if (this.restBytes < BLOCK_BYTES) return this;
      this.block(new DataView(this.rest.buffer), 0);
      this.restBytes = 0;
    }
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (; at + BLOCK_BYTES <= data.length; at += BLOCK_BYTES) this.block(view, at);
    this.rest.set(data.subarray(at));
    this.restBytes = data.length - at;
    return this;
  }

  /** The digest in hexadecimal. Nothing can be added afterwards. */
  hex(): string {
    const bits = BigInt(this.totalBytes) * 8n;
    const zeros = (2 * BLOCK_BYTES - LENGTH_BYTES - 1 - (this.totalBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const end = new Uint8Array(1 + zeros + LENGTH_BYTES);
    end[0] = 0x80;
    new DataView(end.buffer).setBigUint64(1 + zeros, bits);
    this.update(end);
    return [...this.state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private block(view: DataView, at: number): void {
    const words = this.words;
    for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < ROUNDS; i += 1) {
      const early = words[i - 15] as number;
      const late = words[i - 2] as number;
      const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
      const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
      words[i] = (words[i - 16] as number) + s0 + (words[i - 7] as number) + s1;
    }
    let [a, b, c, d, e, f, g, h] = this.state as unknown as Eight;
    for (let i = 0; i < ROUNDS; i += 1) {
      const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const choice = (e & f) ^ (~e & g);
      const first = (h + s1 + choice + (CONSTANTS[i] as number) + (words[i] as number)) | 0;
      const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + s0 + majority) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => {
      this.state[i] = (this.state[i] as number) + value;
    });
  }
}

type Eight = [number, number, number, number, number, number, number, number];

const rotate = (word: number, by: number) => (word >>> by) | (word << (32 - by));
