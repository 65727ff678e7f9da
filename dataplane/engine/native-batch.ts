import type { SocketAddress } from "../../model/address.ts";
import type { CloseReason, ConnectFailure } from "../../model/reason.ts";
import type { HelloOutcome } from "../hello/hello-outcome.ts";
import type { Arrival, ClosedConnection, ConnectionId } from "./engine.ts";
import { familyOffset, NativeAddress } from "./native-address.ts";
import {
  closedOffset,
  closeReasons,
  connectFailures,
  faultOffset,
  headerOffset,
  helloOffset,
  redecideOffset,
  serverBytesOffset,
} from "./native-wire.ts";

/** Slots of all threads; `limits.h` has the same. Below it the slot, above it the generation, makes an id. */
const slotsMax = 2 ** 21;

export function connectionId(slot: number, generation: number): ConnectionId {
  return generation * slotsMax + slot;
}

export function slotOf(id: ConnectionId): number {
  return id % slotsMax;
}

export function generationOf(id: ConnectionId): number {
  return Math.floor(id / slotsMax);
}

/**
 * The memory that the addon fills with records, and their fields. A record is named by its offset `at`, which is a
 * multiple of 8. Nothing is copied but addresses and, where the caller does it, bytes.
 */
export class NativeBatch {
  readonly bytes: Uint8Array;
  readonly #uint16: Uint16Array;
  readonly #uint32: Uint32Array;
  readonly #int32: Int32Array;
  readonly #float64: Float64Array;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    const { buffer } = this.bytes;
    this.#uint16 = new Uint16Array(buffer);
    this.#uint32 = new Uint32Array(buffer);
    this.#int32 = new Int32Array(buffer);
    this.#float64 = new Float64Array(buffer);
  }

  size(at: number): number {
    return this.#word(at + headerOffset.size);
  }
  kind(at: number): number {
    return this.bytes[at + headerOffset.kind] as number;
  }
  code(at: number): number {
    return this.bytes[at + headerOffset.code] as number;
  }
  listener(at: number): number {
    return this.#uint16[(at + headerOffset.listener) >> 1] as number;
  }
  slot(at: number): number {
    return this.#word(at + headerOffset.slot);
  }
  generation(at: number): number {
    return this.#word(at + headerOffset.generation);
  }
  id(at: number): ConnectionId {
    return connectionId(this.slot(at), this.generation(at));
  }

  /** The IP of the address at `at`: 4 bytes or 16; a view. */
  ip(at: number): Uint8Array {
    return this.bytes.subarray(at, at + (this.bytes[at + familyOffset] === 6 ? 16 : 4));
  }
  address(at: number): NativeAddress {
    return new NativeAddress(this.bytes, this.#uint16, at);
  }
  /** The client's stream so far; a view. */
  helloBytes(at: number): Uint8Array {
    const start = at + helloOffset.bytes;
    return this.bytes.subarray(start, start + this.#word(at + helloOffset.length));
  }
  helloBytesMax(at: number): number {
    return this.#word(at + helloOffset.helloBytesMax);
  }
  failure(at: number): ConnectFailure {
    return connectFailures[this.code(at)] ?? "other";
  }
  attempt(at: number): number {
    return this.#word(at + redecideOffset.attempt);
  }
  /** A view. */
  serverBytes(at: number): Uint8Array {
    const start = at + serverBytesOffset.bytes;
    return this.bytes.subarray(start, start + this.#word(at + serverBytesOffset.length));
  }
  /** An errno. */
  faultError(at: number): number {
    return this.#int32[(at + faultOffset.error) >> 2] as number;
  }

  /** Whether a connection ended with a question open: its last verdict was on its way, or one to wait. */
  endedUnanswered(at: number): boolean {
    return this.#word(at + closedOffset.unanswered) !== 0;
  }

  /** @param source as its arrival told it, where a PROXY header was believed; else undefined */
  closed(at: number, listener: string, context: unknown, source: SocketAddress | undefined): ClosedConnection {
    const float = (offset: number): number => this.#float64[(at + offset) >> 3] as number;
    const int = (offset: number): number => this.#int32[(at + offset) >> 2] as number;
    return new NativeClosedConnection(
      this.id(at),
      listener,
      source ?? this.address(at + closedOffset.source),
      closeReasons[this.code(at)] ?? "internal",
      context,
      float(closedOffset.acceptedAtMs),
      int(closedOffset.helloMs),
      int(closedOffset.connectMs),
      float(closedOffset.totalMs),
      int(closedOffset.attempts),
      float(closedOffset.bytesFromClient),
      float(closedOffset.bytesFromServer),
    );
  }

  #word(at: number): number {
    return this.#uint32[at >> 2] as number;
  }
}

/** Of a record, or out of a PROXY header. */
type TellableAddress = NativeAddress | SocketAddress;

function told(address: TellableAddress): SocketAddress {
  return typeof address === "string" ? address : address.text();
}

/** An arrival whose addresses become text when they are asked for. */
export class NativeArrival implements Arrival {
  readonly id: ConnectionId;
  readonly listener: string;
  readonly hello: HelloOutcome;
  readonly #source: TellableAddress;
  readonly #local: TellableAddress;

  constructor(
    id: ConnectionId,
    listener: string,
    hello: HelloOutcome,
    source: TellableAddress,
    local: TellableAddress,
  ) {
    this.id = id;
    this.listener = listener;
    this.hello = hello;
    this.#source = source;
    this.#local = local;
  }

  get source(): SocketAddress {
    return told(this.#source);
  }

  get local(): SocketAddress {
    return told(this.#local);
  }
}

/** The same for the record of an end. */
class NativeClosedConnection implements ClosedConnection {
  readonly id: ConnectionId;
  readonly listener: string;
  readonly reason: CloseReason;
  readonly context: unknown;
  readonly acceptedAtMs: number;
  readonly helloMs: number;
  readonly connectMs: number;
  readonly totalMs: number;
  readonly connectAttempts: number;
  readonly bytesFromClient: number;
  readonly bytesFromServer: number;
  readonly #source: TellableAddress;

  constructor(
    id: ConnectionId,
    listener: string,
    source: TellableAddress,
    reason: CloseReason,
    context: unknown,
    acceptedAtMs: number,
    helloMs: number,
    connectMs: number,
    totalMs: number,
    connectAttempts: number,
    bytesFromClient: number,
    bytesFromServer: number,
  ) {
    this.id = id;
    this.listener = listener;
    this.#source = source;
    this.reason = reason;
    this.context = context;
    this.acceptedAtMs = acceptedAtMs;
    this.helloMs = helloMs;
    this.connectMs = connectMs;
    this.totalMs = totalMs;
    this.connectAttempts = connectAttempts;
    this.bytesFromClient = bytesFromClient;
    this.bytesFromServer = bytesFromServer;
  }

  get source(): SocketAddress {
    return told(this.#source);
  }
}
