import { credentials } from "@grpc/grpc-js";
import { learntFromWire } from "../../model/wire/learnt.ts";
import {
  type Directive,
  FleetServiceClient,
  type NodeHello,
  type SessionResponse,
  type SessionWelcome,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type Backoff, pause } from "../feed/backoff.ts";
import { controlPlaneChannel } from "../feed/control-plane-channel.ts";
import { ControlPlanes } from "../feed/control-planes.ts";
import type { LearntOutbox } from "../sharing/session-learnt-exchange.ts";
import { carryOut } from "./directives.ts";
import type { NodeSession, SessionHost } from "./node-session.ts";
import { SessionWriter } from "./session-writer.ts";

/** How often a report goes out when nothing changes, until the control plane says otherwise, within these bounds. */
const reportIntervalMs = 1000;
const reportIntervalMinMs = 100;
const reportIntervalMaxMs = 60_000;

/** How often a sample of the hellos goes out. */
const hellosIntervalMs = 10_000;

/** Directives that are being carried out, or answered; a control plane that asks for more than it reads is left. */
const directivesMax = 64;

export interface FleetSessionOptions {
  /** Control planes, any of which will do: `127.0.0.1:7700`. */
  readonly addresses: readonly string[];
  readonly hello: NodeHello;
  readonly host: SessionHost;
  /** What the node shares with others by way of the control plane; undefined where it has another way, or none. */
  readonly learnt?: LearntOutbox | undefined;
  readonly backoff: Backoff;
  /** From 0 to 1, as Math.random: which one is asked first. */
  readonly random: () => number;
  /** Hears, in a sentence, why the session was lost. */
  readonly onLost: (address: string, why: string) => void;
}

/**
 * The node's session with a control plane: who it is, then what it is and does, as state that replaces what was said
 * before and as counts since; and what it is asked to do.
 */
export class FleetSession implements NodeSession {
  readonly #options: FleetSessionOptions;
  #writer: SessionWriter | undefined;

  constructor(options: FleetSessionOptions) {
    this.#options = options;
  }

  async hold(signal: AbortSignal): Promise<void> {
    const { addresses, random, backoff } = this.#options;
    const controlPlanes = new ControlPlanes(addresses, random());
    while (!signal.aborted) {
      if (await this.#once(controlPlanes.current, signal)) controlPlanes.answered();
      await pause(backoff.delayMs(controlPlanes.next()), signal);
    }
  }

  reportSoon(): void {
    this.#writer?.reportSoon();
  }

  /** One session, to its end. Answers whether the control plane welcomed it. */
  async #once(address: string, signal: AbortSignal): Promise<boolean> {
    const { host, hello, onLost, learnt } = this.#options;
    const client = new FleetServiceClient(address, credentials.createInsecure(), controlPlaneChannel);
    const stream = client.session();
    const writer = new SessionWriter(stream, host, learnt);
    const directed = new Directed(writer, host);
    const cancel = (): void => stream.cancel();
    signal.addEventListener("abort", cancel);
    let welcomed = false;
    writer.hello(hello);
    this.#writer = writer;
    writer.reportSoon();
    let interval = setInterval(() => writer.reportSoon(), reportIntervalMs);
    const hellosInterval = setInterval(() => writer.hellosSoon(), hellosIntervalMs);
    try {
      for await (const { message } of stream as AsyncIterable<SessionResponse>) {
        if (message?.$case === "welcome") {
          welcomed = true;
          clearInterval(interval);
          interval = setInterval(() => tell(writer), intervalMs(message.value));
          writer.trafficSoon();
          writer.hellosSoon();
          writer.shareLearnt();
        } else if (message?.$case === "directive" && !directed.take(message.value))
          throw new Error(`the control plane asks for more than ${directivesMax} things at once`);
        else if (learnt !== undefined) hearLearnt(learnt, message);
      }
      onLost(address, "the control plane ended the session");
    } catch (error) {
      if (!signal.aborted) onLost(address, error instanceof Error ? error.message : String(error));
    } finally {
      clearInterval(interval);
      clearInterval(hellosInterval);
      this.#writer = undefined;
      writer.end();
      signal.removeEventListener("abort", cancel);
      stream.cancel();
      client.close();
    }
    return welcomed;
  }
}

/** Carries out one session's directives, so many at once. */
class Directed {
  readonly #writer: SessionWriter;
  readonly #host: SessionHost;
  #count = 0;

  constructor(writer: SessionWriter, host: SessionHost) {
    this.#writer = writer;
    this.#host = host;
  }

  /** Whether there was room for it. */
  take(directive: Directive): boolean {
    if (this.#count === directivesMax) return false;
    this.#count += 1;
    void carryOut(directive, this.#host).then((result) => {
      this.#writer.answer(result, () => {
        this.#count -= 1;
      });
      this.#writer.reportSoon();
    });
    return true;
  }
}

/** @throws Error for what can't be taken: a control plane passes on only what it has checked */
function hearLearnt(outbox: LearntOutbox, message: SessionResponse["message"]): void {
  if (message?.$case === "learntQuestion") outbox.asked(message.value.asker);
  if (message?.$case !== "learnt") return;
  const learnt = learntFromWire(message.value);
  if (typeof learnt === "string") throw new Error(`what another node has learnt can't be taken: ${learnt}`);
  outbox.heard(learnt);
}

function tell(writer: SessionWriter): void {
  writer.reportSoon();
  writer.trafficSoon();
}

function intervalMs({ reportInterval }: SessionWelcome): number {
  if (reportInterval === undefined) return reportIntervalMs;
  const wantedMs = Number(reportInterval.seconds) * 1000 + reportInterval.nanos / 1e6;
  return Math.min(reportIntervalMaxMs, Math.max(reportIntervalMinMs, wantedMs));
}
