import { afterEach, beforeEach } from "vitest";
import type { CheckResult } from "../../dataplane/health/check-result.ts";
import type { RunningProbe } from "../../dataplane/health/probes/probe.ts";
import type { FarmProbe } from "../../dataplane/health/probes/prober.ts";
import type { SocketAddress } from "../../model/address.ts";
import { leftOver, openResources } from "../support/open-resources.ts";
import { PeerServer } from "../support/peer-server.ts";
import { waitFor } from "../support/wait-for.ts";

/** A check, and all that was told of it. */
export interface ToldCheck {
  readonly running: RunningProbe;
  readonly events: string[];
  result: CheckResult | undefined;
}

/** Nobody listens there. */
export const nowhere = "127.0.0.1:1" as SocketAddress;

export function begin(probe: FarmProbe, address: SocketAddress, timeoutMs = 30_000): ToldCheck {
  const events: string[] = [];
  const running = probe.start(
    { address, timeoutMs, header: new Uint8Array(0), wantsTickets: false },
    {
      result: (result) => {
        events.push("result");
        told.result = result;
      },
      ended: () => events.push("ended"),
    },
  );
  const told: ToldCheck = { running, events, result: undefined };
  return told;
}

export async function ended(...checks: readonly ToldCheck[]): Promise<void> {
  await waitFor("the end of checks", () => checks.every(({ events }) => events.includes("ended")));
}

/** Has what is given to it closed after each test, the last one first; a test that leaves anything fails. */
export function closing(): <Thing extends { close(): Promise<void> }>(thing: Thing) => Thing {
  const things: { close(): Promise<void> }[] = [];
  let before = openResources();
  beforeEach(() => {
    before = openResources();
  });
  afterEach(async () => {
    for (const thing of things.splice(0).toReversed()) await thing.close();
    await waitFor("everything to be closed", () => leftOver(before, openResources()) === "");
  });
  return (thing) => {
    things.push(thing);
    return thing;
  };
}

/** Accepts, and says nothing. */
export async function muteServer(): Promise<PeerServer> {
  return PeerServer.listen(({ socket }) => socket.resume().on("error", () => socket.destroy()));
}
