import { connect, type Socket } from "node:net";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { CloseReason, ConnectFailure } from "../../model/reason.ts";
import { connectFailure } from "./connect-failure.ts";
import { ConnectionJournal } from "./connection-journal.ts";
import { assertTransition, type ConnectionPhase, type ConnectionState, lingering } from "./connection-state.ts";
import type { ConnectionHost } from "./connection-host.ts";
import type { Timed } from "./deadline-wheel.ts";
import type { ConnectionId, ConnectVerdict, ListenerSettings, RejectVerdict, Verdict } from "./engine.ts";
import { errorCode, isExhaustion } from "./error-code.ts";
import { Greeting } from "./greeting.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { ListenerBinding } from "./listener-binding.ts";
import { peerAddress } from "./peer-address.ts";
import { rejectionBytes } from "./rejection-bytes.ts";
import { closeSocket, resetSocket } from "./reset-socket.ts";
import { serverTap } from "./server-tap.ts";
import { socketSettings } from "./socket-settings.ts";
import { Splice } from "./splice.ts";

/** While a server is dialled the client is read on, to see it go away, until this many bytes are held. */
const heldWhileDiallingBytesMax = 65_536;

/**
 * One accepted connection, from accept to its end: reads the hello, asks the handler, dials, splices, reports. It owns
 * both sockets and every byte in between.
 */
export class Connection implements Timed {
  readonly id: ConnectionId;
  readonly #settings: ListenerSettings;
  readonly #host: ConnectionHost;
  readonly #client: Socket;
  /** As a PROXY header says, once one was believed. */
  #source: SocketAddress;
  readonly #local: SocketAddress;
  readonly #journal = new ConnectionJournal();
  #state: ConnectionState;
  /** What is kept of the hello: not its bytes. */
  #helloComplete = false;
  #alertVersion = 0;
  readonly #held = new HeldBytes();
  #socketsOpen = 0;
  #reason: CloseReason | null = null;

  /** Takes over the socket of a connection that was just accepted. */
  constructor(host: ConnectionHost, id: ConnectionId, binding: ListenerBinding, client: Socket) {
    this.id = id;
    this.#settings = binding.settings;
    this.#host = host;
    this.#client = client;
    this.#source = peerAddress(client.remoteAddress, client.remotePort);
    this.#local = peerAddress(client.localAddress, client.localPort);
    const greeting = new Greeting(binding.gate, binding.settings.helloBytesMax, this.#source);
    this.#state = { phase: "hello", greeting };
    this.#own(client);
    client.on("error", () => this.#clientFailed());
  }

  get phase(): ConnectionPhase {
    return this.#state.phase;
  }

  /** Begins to read. */
  start(): void {
    this.#client.on("data", (chunk: Buffer) => this.#clientBytes(chunk));
    this.#client.on("end", () => this.#clientEnded());
    this.#host.wheel.watch(this);
  }

  /** Ends the connection now, abortively; on one that has ended it does nothing. */
  abort(reason: CloseReason): void {
    this.#end(reason, resetSocket);
  }

  /** The verdict for a connection that waits; on any other it does nothing. */
  answer(verdict: ConnectVerdict | RejectVerdict): void {
    if (this.#state.phase === "waiting") this.#guarded(() => this.#follow(verdict, "waiting"));
  }

  /** Shows itself where the last verdict was to connect. */
  visit(see: (id: ConnectionId, context: unknown) => void): void {
    const { phase } = this.#state;
    if (phase === "dialling" || phase === "spliced") see(this.id, this.#journal.context);
  }

  /** Ends a connection that nothing was read of or promised to. */
  refuse(reason: CloseReason): void {
    this.#end(reason, closeSocket);
  }

  deadlineMs(): number {
    const state = this.#state;
    switch (state.phase) {
      case "hello":
        return this.#journal.acceptedMs + this.#settings.helloDeadlineMs;
      case "dialling":
      case "lingering":
        return state.dueMs;
      case "spliced":
        return state.splice.deadline().dueMs;
      case "waiting":
      case "ended":
        break;
    }
    return Number.POSITIVE_INFINITY;
  }

  expire(): void {
    const state = this.#state;
    switch (state.phase) {
      case "hello":
        this.#end("hello_timeout", closeSocket);
        break;
      case "dialling":
        this.#dialFailed(state.server, state.verdict, "timeout");
        break;
      case "spliced":
        // Not with a FIN: it would leave what a stuck peer has not read in the kernel's memory for minutes.
        this.abort(state.splice.deadline().reason);
        break;
      case "lingering":
        this.#end(state.reason, closeSocket);
        break;
      case "waiting":
      case "ended":
        break;
    }
  }

  #enter(state: ConnectionState): void {
    assertTransition(this.#state.phase, state.phase);
    this.#state = state;
    if (state.phase === "ended" || state.phase === "waiting") this.#host.wheel.forget(this);
    else this.#host.wheel.watch(this);
  }

  /** Counts a socket until it has closed. */
  #own(socket: Socket): void {
    this.#socketsOpen += 1;
    socket.once("close", () => {
      this.#socketsOpen -= 1;
      if (this.#socketsOpen === 0) this.#finish();
    });
  }

  #clientBytes(chunk: Buffer): void {
    const state = this.#state;
    switch (state.phase) {
      case "hello":
        this.#journal.bytesFromClient += chunk.length;
        this.#held.append(chunk);
        this.#guarded(() => this.#readHello(state.greeting, chunk));
        break;
      case "waiting":
      case "dialling":
        this.#journal.bytesFromClient += chunk.length;
        this.#held.append(chunk);
        if (this.#held.length >= heldWhileDiallingBytesMax) this.#client.pause();
        break;
      case "lingering":
        this.#journal.bytesFromClient += chunk.length;
        state.bytesLeft -= chunk.length;
        if (state.bytesLeft < 0) this.#end(state.reason, closeSocket);
        break;
      case "spliced":
      case "ended":
        break;
    }
  }

  #clientEnded(): void {
    const { phase } = this.#state;
    if (phase === "hello") this.#end("hello_aborted", closeSocket);
    // No TLS handshake comes to an end without more from the client (RFC 8446 section 4.4). Another protocol's client may
    // have said all that it has to say: its FIN is passed on once a server is there.
    else if (this.#seeksServer() && this.#helloComplete) this.#end("client_gone", closeSocket);
  }

  /** Any error of the client's socket: it was reset, or is silent for longer than keepalive bears. */
  #clientFailed(): void {
    const { phase } = this.#state;
    if (phase === "hello") this.#end("hello_aborted", closeSocket);
    else if (this.#seeksServer()) this.#end("client_gone", closeSocket);
    else if (phase === "spliced") this.abort("client_reset");
  }

  #seeksServer(): boolean {
    const { phase } = this.#state;
    return phase === "waiting" || phase === "dialling";
  }

  #readHello(greeting: Greeting, chunk: Uint8Array): void {
    const hello = greeting.read(this.#held, chunk);
    if (hello.outcome === "incomplete") return;
    this.#source = greeting.addresses?.source ?? this.#source;
    this.#helloComplete = hello.outcome === "complete";
    this.#alertVersion = hello.outcome === "complete" ? hello.hello.alertRecordVersion : hello.recordVersion;
    const { id } = this;
    const local = greeting.addresses?.destination ?? this.#local;
    const arrival = { id, listener: this.#settings.name, source: this.#source, local, hello };
    const verdict = this.#host.handler.decide(arrival);
    this.#journal.decided(this.#helloComplete);
    this.#follow(verdict, "hello");
  }

  /** Carries a verdict out, unless the handler has had the connection ended meanwhile. */
  #follow(verdict: Verdict, asked: "hello" | "waiting" | "dialling"): void {
    this.#journal.context = verdict.context;
    if (this.#state.phase !== asked) return;
    if (verdict.verdict === "connect") this.#dial(verdict);
    else if (verdict.verdict === "wait") this.#enter({ phase: "waiting" });
    else this.#reject(verdict);
  }

  #dial(verdict: ConnectVerdict): void {
    this.#journal.connectAttempts += 1;
    const from = verdict.source === null ? {} : { localAddress: verdict.source };
    const server = connect({ ...socketSettings, ...splitSocketAddress(verdict.address), ...from });
    this.#own(server);
    const dueMs = performance.now() + verdict.connectTimeoutMs;
    this.#enter({ phase: "dialling", verdict, server, dueMs });
    server.once("connect", () => this.#connected(server, verdict));
    server.on("error", (error) => this.#serverFailed(server, error));
  }

  /** Any error of a server's socket, of this attempt or of one that was given up. */
  #serverFailed(server: Socket, error: Error): void {
    const state = this.#state;
    if (state.phase === "spliced" && state.server === server) {
      this.abort("server_reset");
    } else if (state.phase === "dialling" && state.server === server) {
      if (isExhaustion(errorCode(error))) this.#host.exhausted();
      this.#dialFailed(server, state.verdict, connectFailure(error));
    }
  }

  #dialFailed(server: Socket, verdict: ConnectVerdict, failure: ConnectFailure): void {
    closeSocket(server);
    this.#guarded(() => {
      const attempt = this.#journal.connectAttempts;
      this.#follow(this.#host.handler.redecide(this.id, verdict.context, failure, attempt), "dialling");
    });
  }

  #connected(server: Socket, verdict: ConnectVerdict): void {
    if (this.#state.phase !== "dialling" || this.#state.server !== server) return;
    this.#journal.connected();
    const { clientIdleTimeoutMs } = this.#settings;
    const { serverIdleTimeoutMs, halfCloseTimeoutMs } = verdict;
    const timeouts = { clientIdleTimeoutMs, serverIdleTimeoutMs, halfCloseTimeoutMs };
    const splice = new Splice(this.#client, server, timeouts, this.#journal, () => this.#host.wheel.watch(this));
    this.#enter({ phase: "spliced", server, splice });
    const tap = serverTap(verdict.tapServerBytesMax, (bytes) => this.#showServerBytes(verdict, bytes));
    splice.start([verdict.prefix, this.#held.take()], tap);
  }

  #showServerBytes(verdict: ConnectVerdict, bytes: Uint8Array): void {
    if (this.#state.phase !== "spliced") return;
    this.#guarded(() => this.#host.handler.serverBytes(this.id, verdict.context, bytes));
  }

  #reject(verdict: RejectVerdict): void {
    this.#reason = verdict.reason;
    this.#held.take();
    this.#enter(lingering(verdict.reason, performance.now()));
    this.#client.end(rejectionBytes(verdict.alert, this.#alertVersion));
    this.#client.resume();
  }

  /** Runs what calls the handler. What it throws ends the connection, and nothing else. */
  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.abort("internal");
      this.#host.handler.fault(new Error(`connection ${this.id} ended by a fault`, { cause: error }));
    }
  }

  /** The first reason stands. */
  #end(reason: CloseReason, close: (socket: Socket) => void): void {
    const state = this.#state;
    if (state.phase === "ended") return;
    this.#reason ??= reason;
    this.#held.take();
    this.#enter({ phase: "ended" });
    close(this.#client);
    if (state.phase === "dialling" || state.phase === "spliced") close(state.server);
  }

  #finish(): void {
    if (this.#state.phase !== "ended") this.#enter({ phase: "ended" });
    this.#host.closed(this.#journal.record(this.id, this.#settings.name, this.#source, this.#reason ?? "done"));
  }
}
