import { learntSubjects, logNames } from "../../model/log-names.ts";
import type { Learnt } from "../../model/learnt.ts";
import { parseNatsUrls } from "../../model/nats-servers.ts";
import { type Backoff, pause } from "../feed/backoff.ts";
import type { LearntExchange, LearntHost } from "../sharing/learnt-exchange.ts";
import { PendingLearnt } from "../sharing/pending-learnt.ts";
import type { LearntLink } from "./learnt-link.ts";

export interface NatsLearntExchangeOptions {
  /** `nats://HOST:PORT`, several with commas between: of the node's own region. */
  readonly servers: string;
  /** Of the installation. Default `switchyard`. */
  readonly namespace?: string;
  /** Names the connection, and the subject of answers that its permissions allow. */
  readonly nodeId: string;
  /** Any text; nodes of the same one share. */
  readonly region: string;
  readonly host: LearntHost;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** Between attempts to connect. */
  readonly backoff: Backoff;
  /** Hears, in a sentence, why nothing is shared for now, or what was not taken. */
  readonly onLost: (why: string) => void;
}

/** What the servers refuse they will refuse again, and log each time. */
const refusedPauseMs = 60_000;

/**
 * Shares over core NATS, on a connection of its own, which never hears itself. Nothing is stored there: who is away misses
 * what is said, and asks when it is back. The `nats` package is loaded when the sharing begins, as it takes its time.
 */
export class NatsLearntExchange implements LearntExchange {
  readonly #options: NatsLearntExchangeOptions;
  readonly #pending: PendingLearnt;
  #link: LearntLink | undefined;

  /** @throws RangeError for a namespace or a URL that is none */
  constructor(options: NatsLearntExchangeOptions) {
    logNames(options.namespace);
    parseNatsUrls(options.servers);
    this.#options = options;
    this.#pending = new PendingLearnt(options.nowMs);
  }

  /** Entries that could not be told in time. */
  get dropped(): number {
    return this.#pending.dropped;
  }

  publish(learnt: Learnt): void {
    this.#pending.add(learnt);
    this.#link?.soon();
  }

  ask(): void {
    this.#link?.ask();
  }

  async hold(signal: AbortSignal): Promise<void> {
    const { servers, nodeId, namespace, region, host, backoff, onLost } = this.#options;
    const subjects = learntSubjects(logNames(namespace), region);
    const [{ connectNode }, { LearntLink }] = await Promise.all([
      import("./connect-node.ts"),
      import("./learnt-link.ts"),
    ]);
    for (let failures = 0; !signal.aborted; failures += 1) {
      let refused = false;
      try {
        const connection = await connectNode({ servers, nodeId, noEcho: true });
        failures = 0;
        this.#link = new LearntLink({ connection, subjects, nodeId, host, pending: this.#pending, onLost });
        refused = (await this.#link.run(signal)) === "refused";
      } catch (error) {
        onLost(error instanceof Error ? error.message : String(error));
      } finally {
        this.#link = undefined;
      }
      await pause(refused ? refusedPauseMs : backoff.delayMs(failures), signal);
    }
  }
}
