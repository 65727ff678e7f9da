import { expect, test } from "vitest";
import type { SocketAddress } from "../../model/address.ts";
import { proxyHeaderBytesMax, type ProxyHeaderOutcome } from "../../dataplane/hello/proxy-header.ts";
import { localProxyHeader, proxyHeaderBytes } from "../../dataplane/hello/proxy-header-bytes.ts";
import { readProxyHeader } from "../../dataplane/hello/read-proxy-header.ts";
import { mutated, SeededNumbers, surrounded } from "../corpus/hello-mutator.ts";

const seed = Number(process.env["SWITCHYARD_TEST_SEED"]);
const of = {
  source: "192.0.2.1:54321" as SocketAddress,
  destination: "198.51.100.2:443" as SocketAddress,
  serverName: "www.example.test",
  alpn: "h2",
  uniqueId: Uint8Array.of(1, 2, 3, 4),
};
const of6 = { ...of, source: "[2001:db8::1]:54321" as SocketAddress };
const originals = [of, of6]
  .flatMap((connection) => [
    proxyHeaderBytes({ version: 1, tlvs: [] }, connection),
    proxyHeaderBytes({ version: 2, tlvs: [] }, connection),
    proxyHeaderBytes({ version: 2, tlvs: ["alpn", "authority", "unique_id"] }, connection),
    proxyHeaderBytes({ version: 2, tlvs: ["alpn", "crc32c", "authority"] }, connection),
  ])
  .concat(localProxyHeader(1), localProxyHeader(2));

const address = /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]):\d{1,5}$/;

function checkOutcome(outcome: ProxyHeaderOutcome, length: number): void {
  if (outcome.outcome !== "complete") return;
  expect(outcome.bytes).toBeLessThanOrEqual(Math.min(length, proxyHeaderBytesMax));
  if (outcome.addresses === null) return;
  expect(outcome.addresses.source).toMatch(address);
  expect(outcome.addresses.destination).toMatch(address);
}

test(`10,000 mutated PROXY headers have an answer, which no further byte changes (seed ${seed})`, () => {
  const numbers = new SeededNumbers(seed);
  const outcomes = new Map<string, number>();
  for (let index = 0; index < 10_000; index += 1) {
    const bytes = mutated(originals[numbers.below(originals.length)] as Uint8Array, numbers);
    const whole = readProxyHeader(surrounded(bytes, numbers));
    checkOutcome(whole, bytes.length);
    const label = whole.outcome === "malformed" ? whole.reason : whole.outcome;
    outcomes.set(label, (outcomes.get(label) ?? 0) + 1);
    let settled: ProxyHeaderOutcome | undefined;
    for (let end = 0; end <= bytes.length; end += 1) {
      const outcome = readProxyHeader(bytes.subarray(0, end));
      if (settled !== undefined && JSON.stringify(outcome) !== JSON.stringify(settled))
        throw new Error(`${Buffer.from(bytes).toString("hex")}: ${end} bytes`);
      if (outcome.outcome !== "incomplete") settled = outcome;
    }
    expect(settled ?? { outcome: "incomplete" }).toStrictEqual(whole);
  }
  const all = ["absent", "complete", "incomplete", "proxy_malformed", "proxy_too_big"];
  expect([...outcomes.keys()].toSorted()).toStrictEqual(all);
  expect(outcomes.get("complete")).toBeGreaterThan(500);
});
