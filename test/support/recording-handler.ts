import type { SocketAddress } from "../../model/address.ts";
import type { ConnectFailure, HelloRejection } from "../../model/reason.ts";
import type {
  Arrival,
  ClosedConnection,
  ConnectionHandler,
  ConnectionId,
  ConnectVerdict,
  RejectVerdict,
  Verdict,
  WaitVerdict,
} from "../../dataplane/engine/engine.ts";
import { waitFor } from "./wait-for.ts";

/** What is kept of an arrival, whose bytes are valid during the call only. */
export interface RecordedArrival {
  readonly id: ConnectionId;
  readonly listener: string;
  readonly source: SocketAddress;
  readonly local: SocketAddress;
  readonly outcome: "complete" | "incomplete" | HelloRejection;
  readonly serverName: string | null;
}

export interface RecordedRedecision {
  readonly id: ConnectionId;
  readonly context: unknown;
  readonly failure: ConnectFailure;
  readonly attempt: number;
}

/** A handler that answers as the test says, and remembers every call. */
export class RecordingHandler implements ConnectionHandler {
  onDecide: (arrival: Arrival) => Verdict = () => rejectWith();
  onRedecide: (redecision: RecordedRedecision) => Verdict = () => rejectWith({ reason: "connect_failed" });
  onServerBytes: (bytes: Uint8Array) => void = () => undefined;
  onClosed: (record: ClosedConnection) => void = () => undefined;
  readonly arrivals: RecordedArrival[] = [];
  readonly redecisions: RecordedRedecision[] = [];
  readonly tapped: { readonly id: ConnectionId; readonly context: unknown; readonly bytes: Buffer }[] = [];
  readonly records: ClosedConnection[] = [];
  readonly faults: Error[] = [];

  decide(arrival: Arrival): Verdict {
    const { id, listener, source, local, hello } = arrival;
    const outcome = hello.outcome === "rejected" ? hello.reason : hello.outcome;
    const serverName = hello.outcome === "complete" ? hello.hello.serverName() : null;
    this.arrivals.push({ id, listener, source, local, outcome, serverName });
    return this.onDecide(arrival);
  }

  redecide(id: ConnectionId, context: unknown, failure: ConnectFailure, attempt: number): Verdict {
    const redecision = { id, context, failure, attempt };
    this.redecisions.push(redecision);
    return this.onRedecide(redecision);
  }

  serverBytes(id: ConnectionId, context: unknown, bytes: Uint8Array): void {
    this.tapped.push({ id, context, bytes: Buffer.from(bytes) });
    this.onServerBytes(bytes);
  }

  closed(record: ClosedConnection): void {
    this.records.push(record);
    this.onClosed(record);
  }

  fault(error: Error): void {
    this.faults.push(error);
  }

  /** The record of the connection that ended as the n-th, from 1. */
  async closedRecord(nth = 1): Promise<ClosedConnection> {
    return waitFor(`the end of connection ${nth}`, () => this.records[nth - 1]);
  }
}

/** A verdict to connect, with times that no test waits for. */
export function connectTo(address: SocketAddress, settings: Partial<ConnectVerdict> = {}): ConnectVerdict {
  return {
    verdict: "connect",
    address,
    connectTimeoutMs: 60_000,
    serverIdleTimeoutMs: 60_000,
    halfCloseTimeoutMs: 60_000,
    prefix: new Uint8Array(0),
    source: null,
    tapServerBytesMax: 0,
    context: null,
    ...settings,
  };
}

export function rejectWith(settings: Partial<RejectVerdict> = {}): RejectVerdict {
  return { verdict: "reject", alert: "unrecognized_name", reason: "no_route", context: null, ...settings };
}

export function waitWith(context: unknown = null): WaitVerdict {
  return { verdict: "wait", context };
}
