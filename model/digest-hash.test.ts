import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textHash } from "./digest-hash.ts";

function bytesOf(words: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  for (const [index, word] of words.entries()) view.setInt32(4 * index, word);
  return new Uint8Array(view.buffer);
}

describe("the hash of a text", () => {
  test("is the standard's, for its own example", () => {
    const hex = Buffer.from(bytesOf(textHash("abc"))).toString("hex");
    expect(hex).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  test("is what a general SHA-256 answers, for every length around the ends of blocks", () => {
    for (let length = 0; length <= 300; length += 1) {
      const text = "x".repeat(length);
      expect(bytesOf(textHash(text))).toEqual(sha256(new TextEncoder().encode(text)));
    }
  });

  test("is what a general SHA-256 answers, for any text, long after short and short after long", () => {
    const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 3000 }), fc.string({ maxLength: 100 }));
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), (several) => {
        for (const text of several) expect(bytesOf(textHash(text))).toEqual(sha256(new TextEncoder().encode(text)));
      }),
    );
  });
});
