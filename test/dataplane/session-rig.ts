import { Backoff } from "../../dataplane/feed/backoff.ts";
import { FleetSession } from "../../dataplane/telemetry/fleet-session.ts";
import type { NodeState } from "../../dataplane/telemetry/node-report.ts";
import type { SessionHost, TableExtract } from "../../dataplane/telemetry/node-session.ts";
import { PendingTraffic } from "../../dataplane/telemetry/pending-traffic.ts";
import type { SessionRequest } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { followedTo, quietState } from "../support/node-state.ts";
import { leftOver, type OpenResources, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { FakeControlPlane, type Session } from "./fake-control-plane.ts";

const hello = {
  nodeId: "n1",
  region: "eu",
  labels: {},
  bootId: "b",
  softwareVersion: "t",
  engine: "portable",
  lastKnownGoodRevision: 0n,
  lastKnownGoodDigest: new Uint8Array(0),
};

/** A node that says how often it was asked for its state, and remembers what it is told to do. */
class RecordingNode implements SessionHost {
  readonly traffic = new PendingTraffic();
  readonly told: string[] = [];
  /** How often it was asked for its state, which is that number. */
  asked = 0;
  /** Bytes of a report. */
  reportBytes = 0;

  state(): NodeState {
    this.asked += 1;
    const stalled = { reason: "forked" as const, detail: "x".repeat(this.reportBytes) };
    return quietState(followedTo(1, { stalled }), { connections: this.asked });
  }

  async drain(): Promise<void> {
    this.told.push("drain");
  }

  async undrain(): Promise<void> {
    throw new Error("no");
  }

  resync(): void {
    this.told.push("resync");
  }

  setLogLevel(level: string): void {
    this.told.push(level);
  }

  async table(listener: string, prefix: string, entriesMax: number): Promise<TableExtract> {
    this.told.push(`table ${listener} ${prefix} ${entriesMax}`);
    const entries = [{ listener: "listeners/a", serverName: "a.test", route: "listeners/a/routes/a" }];
    return { position: { epoch: 1, revision: 4, hash: new Uint8Array(32) }, entries, truncated: true };
  }

  explain(listener: string, { serverName }: { readonly serverName: string | null }): string {
    return `nothing is known of ${serverName} on ${listener}`;
  }
}

/** A node's session with control planes that do what a test says. Closing it proves that nothing is left. */
export class SessionRig {
  readonly node = new RecordingNode();
  /** Why sessions were lost, in their order. */
  readonly lost: string[] = [];
  readonly #before: OpenResources = openResources();
  readonly #planes: FakeControlPlane[] = [];
  #stop = new AbortController();
  #holding: Promise<void> = Promise.resolve();
  #session: FleetSession | undefined;

  get session(): FleetSession {
    if (this.#session === undefined) throw new Error("no session is held");
    return this.#session;
  }

  /** A control plane, and the node's session with it. */
  async hold(onSession: (call: Session) => void): Promise<FakeControlPlane> {
    const plane = this.keep(await FakeControlPlane.listen(undefined, onSession));
    this.holdTo(plane.address);
    return plane;
  }

  holdTo(...addresses: readonly string[]): void {
    const backoff = new Backoff(1, 20, () => 0.5);
    const onLost = (_address: string, why: string): number => this.lost.push(why);
    this.#session = new FleetSession({ addresses, hello, host: this.node, backoff, random: () => 0, onLost });
    this.#holding = this.#session.hold(this.#stop.signal);
  }

  keep(plane: FakeControlPlane): FakeControlPlane {
    this.#planes.push(plane);
    return plane;
  }

  /** Tells the session to end, and waits for it. Another may be held then. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#holding;
    this.#stop = new AbortController();
  }

  async close(): Promise<void> {
    await this.end();
    for (const plane of this.#planes.splice(0)) await plane.close();
    await waitFor("everything to be closed", () => leftOver(this.#before, openResources()) === "", 10_000);
  }
}

/** Reads what a session brings: `hello n1`, or the number of a report. */
export function heard(call: Session, into: string[]): void {
  call.on("data", ({ message }: SessionRequest) => {
    if (message?.$case === "hello") into.push(`hello ${message.value.nodeId}`);
    if (message?.$case === "report") into.push(String(message.value.connections));
  });
}

export function welcome(call: Session, seconds: bigint, nanos: number): void {
  const value = { softwareVersion: "t", replica: "cp-1", reportInterval: { seconds, nanos } };
  call.write({ message: { $case: "welcome", value } });
}
