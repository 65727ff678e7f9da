import { EventEmitter } from "node:events";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { holdSession, type SessionParts } from "../../controlplane/fleet/session.ts";
import { readMessage } from "../../controlplane/fleet/session-message.ts";
import type { SessionHost } from "../../dataplane/telemetry/node-session.ts";
import { SessionWriter } from "../../dataplane/telemetry/session-writer.ts";
import {
  type NodeHello,
  SessionRequest,
  type SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { SimulatedSession } from "./simulated-session.ts";

type ClientCall = ClientDuplexStream<SessionRequest, SessionResponse>;
type ServerCall = Parameters<typeof holdSession>[1];

/**
 * A session without HTTP/2 in the middle: the node's own writer on one side, the control plane's own session with its limits on
 * the other, and the encoded bytes of each message between them. A thousand gRPC streams in one process cost 0.3 s a turn.
 */
export class WiredSession implements SimulatedSession {
  readonly #hello: NodeHello;
  readonly #host: SessionHost;
  onClose: () => void = () => undefined;
  #writer: SessionWriter | undefined;
  #call: WiredCall | undefined;

  constructor(hello: NodeHello, host: SessionHost) {
    this.#hello = hello;
    this.#host = host;
  }

  get held(): boolean {
    return this.#call?.welcomed === true;
  }

  open(parts: SessionParts): void {
    const call = new WiredCall();
    this.#call = call;
    holdSession(parts, call as unknown as ServerCall);
    this.#writer = new SessionWriter(call.client, this.#host);
    this.#writer.hello(this.#hello);
    this.#writer.reportSoon();
  }

  reportSoon(): void {
    this.#writer?.reportSoon();
  }

  trafficSoon(): void {
    this.#writer?.trafficSoon();
  }

  /** The connection breaks, or the node ends. */
  cut(): void {
    this.#writer?.end();
    this.#writer = undefined;
    this.#call?.emit("cancelled");
    this.#call = undefined;
  }

  close(): Promise<void> {
    this.cut();
    this.onClose();
    return Promise.resolve();
  }
}

/** What `holdSession` sees of a call; the client's end of it writes what it hears. */
class WiredCall extends EventEmitter {
  readonly writableNeedDrain = false;
  welcomed = false;

  readonly client = {
    write: (message: SessionRequest, left?: (error: unknown) => void): boolean => {
      this.emit("data", readMessage(Buffer.from(SessionRequest.encode(message).finish())));
      if (left !== undefined) queueMicrotask(() => left(undefined));
      return true;
    },
  } as unknown as ClientCall;

  constructor() {
    super();
    this.on("error", (error: { readonly details?: string }) => {
      throw new Error(`a control plane cut a simulated node off: ${error.details}`);
    });
  }

  write({ message }: SessionResponse): boolean {
    if (message?.$case === "welcome") this.welcomed = true;
    return true;
  }

  end(): void {
    this.welcomed = false;
  }
}
