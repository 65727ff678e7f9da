import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { textHash } from "./digest-hash.ts";
import { digestText } from "./digest-text.ts";
import { canonicalText } from "./resource-fields.ts";
import type { Resource } from "./resource.ts";

/**
 * A digest of a set of resources that does not depend on their order, and that follows each change in constant time:
 * the sum, modulo 2^256, of the SHA-256 of each resource's canonical text (AdHash: Bellare and Micciancio, "A New
 * Paradigm for Collision-free Hashing", Eurocrypt 1997). It shows drift between a node and the log. It is no defence
 * against someone who may write the configuration: they need not forge it.
 */
export class Digest {
  /** Eight 32-bit limbs, least significant first. */
  readonly #sum = new Uint32Array(8);

  add(resource: Resource): void {
    const hash = textHash(digestText(resource));
    let carry = 0;
    for (let limb = 0; limb < 8; limb += 1) {
      const total = (this.#sum[limb] as number) + littleEndian(hash[limb] as number) + carry;
      this.#sum[limb] = total;
      carry = total > 0xffff_ffff ? 1 : 0;
    }
  }

  remove(resource: Resource): void {
    const hash = textHash(digestText(resource));
    let borrow = 0;
    for (let limb = 0; limb < 8; limb += 1) {
      const total = (this.#sum[limb] as number) - littleEndian(hash[limb] as number) - borrow;
      this.#sum[limb] = total;
      borrow = total < 0 ? 1 : 0;
    }
  }

  /** Becomes the digest that was once told by {@link bytes}. */
  restore(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let limb = 0; limb < 8; limb += 1) this.#sum[limb] = view.getUint32(limb * 4, true);
  }

  /** 32 bytes; all zero for the empty configuration. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    for (const [limb, value] of this.#sum.entries()) view.setUint32(limb * 4, value, true);
    return bytes;
  }
}

/** Of the stored resource (AIP-154): 16 hexadecimal digits that change with every field. */
export function etagOf(resource: Resource): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalText(resource))).subarray(0, 8));
}

/** A limb has the hash's bytes with the least significant first; the hash has its words the other way around. */
function littleEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
