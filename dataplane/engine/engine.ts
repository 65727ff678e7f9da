import type { IpAddress, Network, SocketAddress } from "../../model/address.ts";
import type { AlertName } from "../../model/alert.ts";
import type { CloseReason, ConnectFailure } from "../../model/reason.ts";
import type { HelloOutcome } from "../hello/hello-outcome.ts";

/**
 * An engine moves bytes: it accepts, collects the hello, asks its {@link ConnectionHandler} once what to do, connects,
 * splices and reports the end. It decides nothing. One contract suite (`test/contract/engine.contract.ts`) holds for
 * every engine.
 *
 * The life of a connection:
 *
 *     accept -> (PROXY header) -> hello (bytes until complete, rejected, too late or gone)
 *            -> decide() -> reject: alert, close -> closed()
 *                        -> wait: until answer() -> as decide()
 *                        -> connect: dial, PROXY header, hello, splice -> closed()
 *                                    dial failed -> redecide() -> as decide()
 *
 * On a listener with `proxyNetworks` a connection from one of them begins with a PROXY protocol header, within the hello's
 * deadline, or is refused; a header from anywhere else is refused on every listener. It is read (`hello/proxy-header.ts`),
 * told as the arrival's addresses, and not passed on.
 *
 * A client may go away while a server is sought. A RST ends the search (`client_gone`). So does a FIN behind a complete
 * hello, since no handshake comes to an end without more from the client; behind a rejected hello, from a client that
 * speaks another protocol, it is a half-close, and is passed on once a server is connected.
 *
 * An end in order is passed on as a FIN, an abortive one as a RST. What the engine itself ends after the splice began
 * (timeouts, `abort`, `shutdown`, `internal`) it ends abortively on both sides: a FIN would leave what a stuck peer has not
 * read in the kernel's memory. A rejected client gets its alert and a FIN, and its further input is thrown away, within
 * limits of bytes and time, until it closes: a RST could destroy the alert on its way.
 *
 * `decide` is called only for a hello that is complete or rejected; `closed` is called exactly once for each accepted
 * connection, whatever its life was. The handler's calls are synchronous and come on the JavaScript thread; an engine
 * with threads of its own may call for many connections in one turn (a batch). Bytes that flow never wait for them.
 */
export interface Engine {
  readonly kind: "portable" | "native";

  /**
   * Makes a listener as described: binds addresses that are new, releases those that are gone, leaves the rest bound
   * without a gap. New limits hold for connections accepted from now on. A bind that fails is answered, and the others
   * stand. Calls for one listener are carried out in order.
   */
  setListener(settings: ListenerSettings): Promise<readonly BindFailure[]>;

  /** Stops accepting on a listener; its live connections go on. Unknown names are ignored. */
  removeListener(name: string): Promise<void>;

  /** Addresses that are bound now, with the port that the system gave for a port 0 (tests). */
  boundAddresses(name: string): readonly SocketAddress[];

  /** A snapshot of the engine's numbers. */
  stats(): EngineStats;

  /**
   * The verdict for a connection that was told to wait. Unknown ids, and connections that do not wait (any more), are
   * ignored: then `closed` has been called, or will be, with the context of the `wait`.
   */
  answer(id: ConnectionId, verdict: ConnectVerdict | RejectVerdict): void;

  /** Calls for each live connection whose last verdict was `connect`, with its context. For rare occasions: it looks at all. */
  visit(see: (id: ConnectionId, context: unknown) => void): void;

  /** Whether it can connect from the client's own address on this machine (`ConnectVerdict.source`). */
  readonly sourceTransparent: boolean;

  /** Ends one connection with a reason, abortively on both sides. Unknown ids are ignored. */
  abort(id: ConnectionId, reason: CloseReason): void;

  /**
   * Stops accepting, gives live connections `graceMs` to end, then ends them with the reason `shutdown`, and gives
   * back every descriptor, timer and thread. Resolves when nothing is left. Idempotent.
   */
  close(graceMs: number): Promise<void>;
}

/** Unique in an engine's life; never reused. */
export type ConnectionId = number;

export interface ListenerSettings {
  readonly name: string;
  readonly addresses: readonly SocketAddress[];
  readonly helloBytesMax: number;
  readonly helloDeadlineMs: number;
  readonly clientIdleTimeoutMs: number;
  readonly connectionsMax: number;
  /** Of balancers in front; empty for none. */
  readonly proxyNetworks: readonly Network[];
}

export interface BindFailure {
  readonly address: SocketAddress;
  readonly reason: "address_in_use" | "address_not_available" | "permission_denied" | "descriptors" | "other";
  readonly detail: string;
}

export interface EngineStats {
  /** Accepted and not yet closed. */
  readonly connections: number;
  /** Of these, those whose hello is not complete yet. */
  readonly hellosPending: number;
  /** Since start. */
  readonly accepted: number;
  /**
   * Times that accepting paused for want of descriptors or memory, since start; `fault` is told of each. What an engine
   * can't leave in the kernel's queue meanwhile is closed with `connections_max`.
   */
  readonly acceptPauses: number;
}

/** What an engine asks and tells. A handler that throws ends that connection with the reason `internal`. */
export interface ConnectionHandler {
  /** What to do with this connection. */
  decide(arrival: Arrival): Verdict;

  /**
   * The server of the last `connect` verdict could not be reached. Answer with another server, or reject.
   * @param context of the last verdict
   * @param attempt 1 after the first failure, and so on
   */
  redecide(id: ConnectionId, context: unknown, failure: ConnectFailure, attempt: number): Verdict;

  /**
   * The first bytes that the server sent, where the verdict asked for them, in as many calls as they came in: at most
   * `tapServerBytesMax` of them, and none after the first TLS record of application data has begun, as what follows can't be
   * read; nor after a byte that can't begin a record. The bytes are valid during the call only.
   */
  serverBytes(id: ConnectionId, context: unknown, bytes: Uint8Array): void;

  /** The connection has ended and nothing of it is left. */
  closed(record: ClosedConnection): void;

  /** An error of the engine itself, not of one connection; for the log. */
  fault(error: Error): void;
}

export interface Arrival {
  readonly id: ConnectionId;
  readonly listener: string;
  /** The client, and the address that it reached: as a PROXY header says, where one was believed. */
  readonly source: SocketAddress;
  readonly local: SocketAddress;
  /** Never `incomplete`. Its bytes are valid during the call only: copy what is kept. */
  readonly hello: HelloOutcome;
}

export type Verdict = ConnectVerdict | RejectVerdict | WaitVerdict;

/**
 * There is no answer yet: `Engine.answer` brings it. The client's bytes stay unread meanwhile, and nothing runs out: whoever
 * lets it wait says for how long. A client that goes away meanwhile is closed at once (`client_gone`).
 */
export interface WaitVerdict {
  readonly verdict: "wait";
  readonly context: unknown;
}

export interface ConnectVerdict {
  readonly verdict: "connect";
  readonly address: SocketAddress;
  readonly connectTimeoutMs: number;
  readonly serverIdleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  /** Sent to the server before the hello (a PROXY protocol header); empty for none. Owned by the engine from now on. */
  readonly prefix: Uint8Array;
  /**
   * Connect from this address (IP_TRANSPARENT), with a port of the system's choice; null for the node's own. Where that can't
   * be had the attempt fails with `local_limit`. Only where the engine says `sourceTransparent`.
   */
  readonly source: IpAddress | null;
  /** How many of the server's first bytes `serverBytes` is shown at most; 0 for none. */
  readonly tapServerBytesMax: number;
  /** Given back with every later call for this connection. */
  readonly context: unknown;
}

export interface RejectVerdict {
  readonly verdict: "reject";
  /** Null closes without an alert: for clients that do not speak TLS. */
  readonly alert: AlertName | null;
  readonly reason: CloseReason;
  readonly context: unknown;
}

export interface ClosedConnection {
  readonly id: ConnectionId;
  readonly listener: string;
  /** The client, as in the arrival; the connection's own peer where the hello never was complete. */
  readonly source: SocketAddress;
  readonly reason: CloseReason;
  /** Of the last verdict; undefined where none was asked for. */
  readonly context: unknown;
  /** Milliseconds since 1970. */
  readonly acceptedAtMs: number;
  /** From accept to the verdict; -1 where the hello never was complete. */
  readonly helloMs: number;
  /** From the first verdict to a connected server, all attempts together; -1 where none was connected. */
  readonly connectMs: number;
  /** From accept to the end. */
  readonly totalMs: number;
  readonly connectAttempts: number;
  /** Bytes of the stream that were read from each side, the hello among the client's. */
  readonly bytesFromClient: number;
  readonly bytesFromServer: number;
}
