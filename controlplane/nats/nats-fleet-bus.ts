import { createInbox, Events, headers, type Msg, type NatsConnection, type Subscription } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { type Directive, DirectiveResult } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { DirectiveEnvelope, FleetUpdate } from "../../proto/gen/switchyard/log/v1/log.ts";
import type { FleetBus } from "../fleet/fleet-bus.ts";
import { labelText, parseLabel, PartCollector, type PartLabel, partsOf } from "./message-parts.ts";

/** Says whose part of which message this is. */
const partHeader = "Switchyard-Part";

/** Replicas whose messages are put together at a time. */
const sendersMax = 64;

export interface NatsFleetBusOptions {
  /** The caller's, who closes it after the bus. */
  readonly connection: NatsConnection;
  readonly names: LogNames;
  /** This replica's id: 1 to 128 characters without blanks. */
  readonly replica: string;
  /** As the connection was given it, where the account may only subscribe to inboxes of its own. */
  readonly inboxPrefix?: string | undefined;
  /** Hears of messages that are not understood. */
  readonly onFault: (error: unknown) => void;
}

type DirectiveHandler = Parameters<FleetBus["onDirective"]>[0];

/** The bus on core NATS. Nothing is stored: who is not there hears it all again within seconds. */
export class NatsFleetBus implements FleetBus {
  readonly #options: NatsFleetBusOptions;
  readonly #subscriptions: readonly Subscription[];
  readonly #collectors = new Map<string, PartCollector>();
  readonly #updates = new Set<(update: FleetUpdate) => void>();
  readonly #syncRequests = new Set<() => void>();
  readonly #handlers = new Set<DirectiveHandler>();
  #messages = 0;
  #connected = true;
  #closed = false;

  constructor(options: NatsFleetBusOptions) {
    this.#options = options;
    const { connection, names } = options;
    const hear = (subject: string, heard: (message: Msg, label: PartLabel) => void): Subscription =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) return options.onFault(error);
          const label = labelOf(message);
          // The server sends our own messages back to us.
          if (label !== undefined && label.sender !== options.replica) heard(message, label);
        },
      });
    this.#subscriptions = [
      hear(names.fleetSubject, (message, label) => this.#hearUpdate(message, label)),
      hear(names.fleetSyncSubject, () => {
        for (const callback of this.#syncRequests) callback();
      }),
      hear(names.directiveSubject, (message) => this.#hearDirective(message)),
    ];
    void this.#followConnection();
  }

  publish(update: FleetUpdate): void {
    this.#send(this.#options.names.fleetSubject, FleetUpdate.encode(update).finish());
  }

  onUpdate(callback: (update: FleetUpdate) => void): () => void {
    this.#updates.add(callback);
    return () => this.#updates.delete(callback);
  }

  requestSync(): void {
    this.#send(this.#options.names.fleetSyncSubject, new Uint8Array(0));
  }

  onSyncRequest(callback: () => void): () => void {
    this.#syncRequests.add(callback);
    return () => this.#syncRequests.delete(callback);
  }

  async direct(nodeId: string, directive: Directive, timeoutMs: number): Promise<DirectiveResult | undefined> {
    if (!this.#reachable) return undefined;
    const { connection, names, inboxPrefix } = this.#options;
    const inbox = createInbox(inboxPrefix);
    const answers = connection.subscribe(inbox);
    const timer = setTimeout(() => answers.unsubscribe(), timeoutMs);
    try {
      this.#send(names.directiveSubject, DirectiveEnvelope.encode({ nodeId, directive }).finish(), inbox);
      const collector = new PartCollector();
      for await (const message of answers) {
        const label = labelOf(message);
        const whole = label && collector.take(label, message.data);
        if (whole !== undefined) return DirectiveResult.decode(whole);
      }
      return undefined;
    } finally {
      clearTimeout(timer);
      answers.unsubscribe();
    }
  }

  onDirective(handler: DirectiveHandler): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  get #reachable(): boolean {
    return this.#connected && !this.#closed && !this.#options.connection.isClosed();
  }

  /** The client would keep what is sent while it is cut off, without a limit, and send it all when it is late. */
  async #followConnection(): Promise<void> {
    for await (const { type } of this.#options.connection.status()) {
      if (this.#closed) return;
      if (type === Events.Disconnect) this.#connected = false;
      if (type !== Events.Reconnect) continue;
      this.#connected = true;
      this.requestSync();
    }
  }

  #send(subject: string, bytes: Uint8Array, reply?: string): void {
    if (!this.#reachable) return;
    const parts = partsOf(bytes);
    const message = this.#messages;
    this.#messages += 1;
    for (const [index, part] of parts.entries()) {
      const label = headers();
      label.set(partHeader, labelText({ sender: this.#options.replica, message, index, count: parts.length }));
      this.#options.connection.publish(subject, part, { headers: label, ...(reply === undefined ? {} : { reply }) });
    }
  }

  #hearUpdate(message: Msg, label: PartLabel): void {
    let collector = this.#collectors.get(label.sender);
    if (collector === undefined) {
      collector = new PartCollector();
      for (const oldest of this.#collectors.keys()) {
        if (this.#collectors.size < sendersMax) break;
        this.#collectors.delete(oldest);
      }
      this.#collectors.set(label.sender, collector);
    }
    const whole = collector.take(label, message.data);
    const update = whole && this.#decoded(FleetUpdate, whole);
    if (update !== undefined) for (const callback of this.#updates) callback(update);
  }

  #hearDirective(message: Msg): void {
    const { reply, data } = message;
    const { nodeId = "", directive } = this.#decoded(DirectiveEnvelope, data) ?? {};
    if (reply === undefined || reply === "" || directive === undefined) return;
    for (const handler of this.#handlers)
      handler(nodeId, directive)?.then(
        (result) => this.#send(reply, DirectiveResult.encode(result).finish()),
        // The node gave no answer, so there is none: the asker's time runs out, and it says so.
        () => undefined,
      );
  }

  #decoded<Message>(type: { decode(bytes: Uint8Array): Message }, bytes: Uint8Array): Message | undefined {
    try {
      return type.decode(bytes);
    } catch (error) {
      this.#options.onFault(error);
      return undefined;
    }
  }
}

function labelOf(message: Msg): PartLabel | undefined {
  return parseLabel(message.headers?.get(partHeader) ?? "");
}
