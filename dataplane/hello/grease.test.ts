import { expect, test } from "vitest";
import { isGrease } from "./grease.ts";

test("GREASE is the sixteen values of RFC 8701, and no other", () => {
  const found = Array.from({ length: 65_536 }, (_, value) => value).filter(isGrease);
  expect(found).toStrictEqual(
    Array.from({ length: 16 }, (_, high) => (((high << 4) | 0x0a) << 8) | (high << 4) | 0x0a),
  );
});
