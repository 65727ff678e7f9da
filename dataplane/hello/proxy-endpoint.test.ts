import fc from "fast-check";
import { expect, test } from "vitest";
import { ipBytes, ipText, joinSocketAddress } from "../../model/address.ts";
import { unmapped } from "./mapped-address.ts";
import { proxyEndpoint } from "./proxy-endpoint.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);

test.each([
  "::",
  "::1",
  "1::",
  "1::8",
  "1:2:3:4:5:6:7:8",
  "0:1::",
  "::2:0",
  "fe80::1:0:0:1",
  "abcd:ef01::9",
  "::ffff:0:1",
])("%s is taken apart as the model takes it", (host) => {
  const { address, port } = proxyEndpoint(joinSocketAddress(host, 65_535));
  expect([...address]).toStrictEqual([...unmapped(ipBytes(host) as Uint8Array)]);
  expect(port).toBe(65_535);
});

test(`any canonical address is taken apart as the model takes it (seed ${seed})`, () => {
  const group = fc.oneof(fc.constant(0), fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
  const v6 = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((groups) => Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff])));
  const bytes = fc.oneof(v6, fc.uint8Array({ minLength: 4, maxLength: 4 }));
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 65_535 }), (address, port) => {
      const endpoint = proxyEndpoint(joinSocketAddress(ipText(address), port));
      expect([...endpoint.address]).toStrictEqual([...unmapped(address)]);
      expect(endpoint.port).toBe(port);
    }),
    { seed, numRuns: 1000 },
  );
});
