import { FarmAffinity } from "../../dataplane/affinity/farm-affinity.ts";
import type { OfferedSession } from "../../dataplane/affinity/offered-session.ts";
import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import { affinityDefaults } from "../../model/farm-policy.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";

/** Two servers, and the names of their keys. */
export const a: ServerResourceName = "farms/f/servers/a";
export const b: ServerResourceName = "farms/f/servers/b";
export const nameA = "name-of-server-a";
export const nameB = "this-is-not-as-a";

/** The first 32 bytes of a ticket whose key has that name, other ones for each number. */
export function ticket(name: string | Uint8Array, number: number): Uint8Array {
  const head = new Uint8Array(32).map((_, at) => (Math.imul(number * 31 + at + 1, 0x9e3779b1) >>> 15) & 0xff);
  head.set(typeof name === "string" ? new TextEncoder().encode(name) : name);
  return head;
}

export const psk = (...heads: readonly Uint8Array[]): OfferedSession => ({ kind: "psk", heads });
export const id = (number: number): Uint8Array => new Uint8Array(32).fill(number);
export const offeredId = (number: number, certain = true): OfferedSession => ({
  kind: "session_id",
  id: id(number),
  certain,
});

/** Full handshakes that teach nothing. */
export const tls13: FlightFacts = {
  answer: "server_hello",
  retried: false,
  version: 0x0304,
  sessionId: new Uint8Array(0),
  pskSelected: -1,
  abbreviated: false,
  ticketHead: null,
  settled: true,
};
export const tls12: FlightFacts = { ...tls13, version: 0x0303 };
/** The server took that PSK. */
export const taken = (pskSelected: number): FlightFacts => ({ ...tls13, pskSelected });
export const issued = (head: Uint8Array): FlightFacts => ({ ...tls12, ticketHead: head });
export const gave = (number: number): FlightFacts => ({ ...tls12, sessionId: id(number) });

/** A farm whose checks have shown these names. */
export function farmWith(names: Readonly<Record<string, ServerResourceName>>): FarmAffinity {
  const farm = new FarmAffinity(affinityDefaults);
  for (const [name, server] of Object.entries(names))
    farm.probed(
      server,
      [1, 2, 3].map((n) => [ticket(name, n)]),
      0,
    );
  return farm;
}

/** All that is known, as text. */
export function table(farm: FarmAffinity, nowMs: number): string {
  return JSON.stringify([...farm.known(nowMs, 1000)], (_, value: unknown) =>
    value instanceof Uint8Array ? [...value].join(" ") : value,
  );
}

/** Those that are known of a server, newest first. */
export function namesOf(farm: FarmAffinity, server: ServerResourceName, nowMs: number): readonly string[] {
  const names = [...farm.known(nowMs, 1000)].flatMap(({ ticketNames }) => ticketNames);
  return names.filter((each) => each.server === server).map(({ name }) => new TextDecoder("latin1").decode(name));
}
