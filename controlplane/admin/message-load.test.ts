import { expect, test } from "vitest";
import { written } from "../../test/support/arbitrary-resource.ts";
import type { Route } from "../../model/resource.ts";
import { countForMessage } from "./message-load.ts";

const farm = written({ farm: { name: "farms/web" } });
const route = (names: number) =>
  written({
    route: {
      name: "listeners/edge/routes/r",
      match: { serverNames: Array.from({ length: names }, (_, index) => `n${index}.test`) },
      action: { reject: {} },
    },
  });
const bundle = (bytes: number) => {
  const certificate = "-----BEGIN CERTIFICATE-----\nMIIBAA==\n-----END CERTIFICATE-----\n";
  const caCertificates = certificate + "é".repeat((bytes - certificate.length) / 2);
  return written({ farm: { name: "farms/web", healthCheck: { tls: { verify: true, caCertificates } } } });
};
const times = <T>(count: number, entry: T): T[] => Array.from({ length: count }, () => entry);

test.each([
  ["nothing, of nothing", [], 0, undefined, 0],
  ["nothing, from beyond the end", times(3, farm), 7, undefined, 0],
  ["what is left", times(30, farm), 10, undefined, 20],
  ["at most 1000", times(3000, farm), 0, 5000, 1000],
  ["no more than was asked for", times(3000, farm), 0, 7, 7],
  ["as many as have 10,000 names together", times(30, route(1000)), 0, undefined, 10],
  ["as many as have 2.5 MB of certificates together", times(30, bundle(256 * 1024)), 0, undefined, 9],
  ["those before one that is too much", [...times(10, farm), ...times(30, route(1000))], 5, undefined, 15],
] as const)("a message takes %s", (_what, resources, start, most, expected) => {
  expect(countForMessage(resources, start, most)).toBe(expected);
});

test("a message always takes one, so that a list comes to its end", () => {
  const light = route(1) as Route;
  // More than the API takes, in case that it ever takes more.
  const heavy: Route = {
    ...light,
    match: { ...light.match, serverNames: times(20_000, light.match.serverNames).flat() },
  };
  expect(countForMessage([heavy, farm], 0)).toBe(1);
});
