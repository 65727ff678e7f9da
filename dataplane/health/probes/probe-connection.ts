import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { splitSocketAddress } from "../../../model/address.ts";
import { type CheckResult, checkFailed } from "../check-result.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import { ended, type ProbePhase, probeFault, timedOut } from "./probe-fault.ts";
import { TimeLimit } from "./time-limit.ts";

/** Said of a check whose time went by while this thread stood still. */
export const stalledDetail = "this node was too late to see";

/** After a check that passed, and its tickets, a server has this long to end its side. */
const closesWithinMs = 300;

/** After the handshake a server has this long for its tickets, or {@link ticketsPerHandshake} the time that it took: it may be far away. */
const ticketsWithinMs = 1000;
const ticketsPerHandshake = 2;

/**
 * The connection of one check, from connect to close: it owns the socket and its timers, tells the result once, and says
 * when nothing is left. What is asked over the connection is its user's.
 */
export class ProbeConnection implements RunningProbe {
  readonly raw: Socket;
  readonly ticketHeads: Uint8Array[] = [];
  phase: ProbePhase = "connect";
  readonly #events: ProbeEvents;
  #secured: TLSSocket | undefined;
  #told = false;
  #ended = false;
  readonly #limit: TimeLimit;
  readonly #beganMs = performance.now();
  #linger: NodeJS.Timeout | undefined;

  /** `onConnected` is called when the connection is made and the PROXY header is written. */
  constructor(request: ProbeRequest, events: ProbeEvents, onConnected: () => void) {
    const { address, header, timeoutMs } = request;
    this.#events = events;
    this.#limit = new TimeLimit(timeoutMs, (wasStalled) => {
      this.tell(wasStalled ? checkFailed("local_limit", stalledDetail) : timedOut(this.phase));
    });
    this.raw = connect({ ...splitSocketAddress(address), noDelay: true });
    this.raw.on("error", (error) => this.#failed(error));
    this.raw.once("close", () => this.#closed());
    this.raw.once("connect", () => {
      if (header.length === 0) onConnected();
      else this.raw.write(header, (error) => error == null && !this.raw.destroyed && onConnected());
    });
  }

  /** From here on the TLS socket over the raw one is what is written to and closed. */
  secure(socket: TLSSocket): void {
    this.#secured = socket;
    this.phase = "tls";
    socket.on("error", (error) => this.#failed(error));
    socket.once("close", () => this.#closed());
  }

  get isTold(): boolean {
    return this.#told;
  }

  /** Tells the result, once; a failed check is closed at once, one that passed lingers. */
  tell(result: CheckResult): void {
    if (this.#told) return;
    this.#told = true;
    this.#limit.clear();
    if (result.passed) this.#lingerFor(closesWithinMs);
    else this.#destroy();
    this.#events.result(result);
  }

  /** Lingers for tickets, after the handshake. Whoever sees them come calls {@link end}. */
  awaitTickets(): void {
    const tookMs = performance.now() - this.#beganMs;
    this.#lingerFor(Math.max(ticketsWithinMs, ticketsPerHandshake * tookMs));
  }

  /** Ends this side in order, and waits for the server to end its own, a little. */
  end(): void {
    this.#lingerFor(closesWithinMs);
    const socket = this.#secured ?? this.raw;
    socket.end();
    socket.resume();
  }

  /** Closes as soon as what was written is out, without waiting for the server. */
  close(): void {
    (this.#secured ?? this.raw).destroySoon();
  }

  abort(): void {
    this.#told = true;
    this.#destroy();
  }

  #lingerFor(ms: number): void {
    clearTimeout(this.#linger);
    if (!this.#ended) this.#linger = setTimeout(() => this.#destroy(), ms);
  }

  #failed(error: Error): void {
    if (this.#told) this.#destroy();
    else this.tell(probeFault(this.phase, error));
  }

  #destroy(): void {
    this.#secured?.destroy();
    this.raw.destroy();
  }

  #closed(): void {
    if (this.#ended) return;
    // The two sockets share a descriptor, and close one after the other.
    if (!this.raw.closed || this.#secured?.closed === false) {
      this.#destroy();
      return;
    }
    this.#ended = true;
    this.tell(ended(this.phase));
    this.#limit.clear();
    clearTimeout(this.#linger);
    this.#events.ended(this.ticketHeads);
  }
}
