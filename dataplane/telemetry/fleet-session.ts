import { type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import {
  FleetServiceClient,
  type NodeHello,
  type NodeReport,
  type SessionRequest,
  type SessionResponse,
  type SessionWelcome,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type Backoff, pause } from "../feed/backoff.ts";
import { controlPlaneChannel } from "../feed/control-plane-channel.ts";

/** How often a report goes out when nothing changes, until the control plane says otherwise, within these bounds. */
const reportIntervalMs = 1000;
const reportIntervalMinMs = 100;
const reportIntervalMaxMs = 60_000;

/** The node's whole state at the time of the call. */
export type ReportNow = () => NodeReport;

export interface FleetSessionOptions {
  /** Control-plane address. */
  readonly address: string;
  readonly hello: NodeHello;
  readonly report: ReportNow;
  readonly backoff: Backoff;
  /** Hears, in a sentence, why the session was lost. */
  readonly onLost: (why: string) => void;
}

/**
 * The node's session with the control plane: who it is, then what it is and does. Each report replaces the one before,
 * so nothing is queued: while one is on its way the next ones are left out.
 */
export class FleetSession {
  readonly #options: FleetSessionOptions;
  #stream: ClientDuplexStream<SessionRequest, SessionResponse> | undefined;
  /** A report has not left this process yet. */
  #sending = false;

  constructor(options: FleetSessionOptions) {
    this.#options = options;
  }

  /** Holds the session, again and again, until the signal aborts. Nothing else of the node waits for it. */
  async hold(signal: AbortSignal): Promise<void> {
    const client = new FleetServiceClient(this.#options.address, credentials.createInsecure(), controlPlaneChannel);
    try {
      for (let failures = 0; !signal.aborted; failures += 1) {
        if (await this.#once(client, signal)) failures = 0;
        await pause(this.#options.backoff.delayMs(failures), signal);
      }
    } finally {
      client.close();
    }
  }

  /** Something changed that is worth telling now. */
  reportSoon(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#sending) return;
    this.#sending = true;
    stream.write({ message: { $case: "report", value: this.#options.report() } }, () => {
      if (this.#stream === stream) this.#sending = false;
    });
  }

  /** One session, to its end. Answers whether the control plane welcomed it. */
  async #once(client: FleetServiceClient, signal: AbortSignal): Promise<boolean> {
    const stream = client.session();
    const cancel = (): void => stream.cancel();
    signal.addEventListener("abort", cancel);
    let welcomed = false;
    this.#sending = false;
    stream.write({ message: { $case: "hello", value: this.#options.hello } });
    this.#stream = stream;
    this.reportSoon();
    const report = (): void => this.reportSoon();
    let interval = setInterval(report, reportIntervalMs);
    try {
      for await (const { message } of stream as AsyncIterable<SessionResponse>) {
        if (message?.$case !== "welcome") continue;
        welcomed = true;
        clearInterval(interval);
        interval = setInterval(report, intervalMs(message.value));
      }
      this.#options.onLost("the control plane ended the session");
    } catch (error) {
      if (!signal.aborted) this.#options.onLost(error instanceof Error ? error.message : String(error));
    } finally {
      clearInterval(interval);
      this.#stream = undefined;
      signal.removeEventListener("abort", cancel);
      stream.cancel();
    }
    return welcomed;
  }
}

function intervalMs({ reportInterval }: SessionWelcome): number {
  if (reportInterval === undefined) return reportIntervalMs;
  const wantedMs = Number(reportInterval.seconds) * 1000 + reportInterval.nanos / 1e6;
  return Math.min(reportIntervalMaxMs, Math.max(reportIntervalMinMs, wantedMs));
}
