/**
 * SHA-256 (FIPS 180-4) of short texts, for digests: a configuration of a million resources has a million of them hashed.
 * It is faster than a general implementation, because it keeps no state between texts, makes no objects and
 * writes characters straight into the block. Its law is to answer what a general one does (`digest-hash.test.ts`).
 */

/** The first 32 bits of the fractions of the cube roots of the first 64 primes (section 4.2.2). */
const roundConstants = Int32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

const blockBytes = 64;
/** Where the last block has the length of the text, in bits. */
const lengthAt = 56;

// Hashing is synchronous, so one set of buffers serves all.
let padded = new Uint8Array(8 * blockBytes);
const schedule = new Int32Array(64);
const state = new Int32Array(8);
const encoder = new TextEncoder();

/**
 * The hash of the text's UTF-8 bytes as eight 32-bit words, the first four bytes in the first word, big-endian as the
 * standard has them. They are overwritten by the next call.
 */
export function textHash(text: string): Int32Array {
  const length = write(text);
  const blocks = Math.ceil((length + 1 + blockBytes - lengthAt) / blockBytes);
  const end = blocks * blockBytes;
  padded[length] = 0x80;
  padded.fill(0, length + 1, end);
  const bits = length * 8;
  for (let at = 1; at <= 4; at += 1) padded[end - at] = bits >>> (8 * (at - 1));
  // The first 32 bits of the fractions of the square roots of the first 8 primes (section 5.3.3).
  state[0] = 0x6a09e667;
  state[1] = 0xbb67ae85;
  state[2] = 0x3c6ef372;
  state[3] = 0xa54ff53a;
  state[4] = 0x510e527f;
  state[5] = 0x9b05688c;
  state[6] = 0x1f83d9ab;
  state[7] = 0x5be0cd19;
  for (let start = 0; start < end; start += blockBytes) compress(start);
  return state;
}

/** Writes the text's bytes to the buffer, with room for the padding; answers how many there are. */
function write(text: string): number {
  makeRoom(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) {
      const bytes = encoder.encode(text);
      makeRoom(bytes.length);
      padded.set(bytes);
      return bytes.length;
    }
    padded[at] = code;
  }
  return text.length;
}

function makeRoom(length: number): void {
  if (length + 2 * blockBytes > padded.length) padded = new Uint8Array(2 * (length + 2 * blockBytes));
}

/** Section 6.2.2. Each sum is cut to 32 bits at once: the engine then never leaves integers. */
function compress(start: number): void {
  const [bytes, w] = [padded, schedule];
  for (let t = 0, at = start; t < 16; t += 1, at += 4)
    w[t] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  for (let t = 16; t < 64; t += 1) {
    const early = w[t - 15] as number;
    const late = w[t - 2] as number;
    const s0 = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
    const s1 = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
    w[t] = ((((w[t - 16] as number) + s0) | 0) + (((w[t - 7] as number) + s1) | 0)) | 0;
  }
  let [a, b, c, d] = [state[0] as number, state[1] as number, state[2] as number, state[3] as number];
  let [e, f, g, h] = [state[4] as number, state[5] as number, state[6] as number, state[7] as number];
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const input = ((roundConstants[t] as number) + (w[t] as number)) | 0;
    const one = (((h + s1) | 0) + (((g ^ (e & (f ^ g))) + input) | 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) | (c & (a | b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}
