import type { Probe } from "../../../model/farm-policy.ts";
import type { Backoff } from "../../feed/backoff.ts";
import { checkFailed } from "../check-result.ts";
import { answeredProbe } from "../probes/answered-probe.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "../probes/probe.ts";
import type { FarmProbe, Prober } from "../probes/prober.ts";
import { type NumberedProbe, ProbeConversation } from "./probe-conversation.ts";
import type { ProbeThread, StartProbeThread } from "./probe-thread.ts";

export interface ThreadProberParts {
  readonly startThread: StartProbeThread;
  /** Pauses between two lives of the thread. */
  readonly backoff: Backoff;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** The thread died: why, in words. Once for each death. */
  readonly onDeath: (why: string) => void;
}

/** A thread that lived for so long has not failed in a row with the one before it. */
const provenAfterMs = 60_000;

interface Life {
  readonly thread: ProbeThread;
  readonly conversation: ProbeConversation;
}

/**
 * Checks that are made in a thread of their own, so that handshakes never stall decisions. The thread is started by the first
 * check that needs it. When it dies its checks say nothing of servers; so do those that come before it is started again, which
 * is by the first check after a pause. What it knew of probes is gone with it, and told anew.
 */
export class ThreadProber implements Prober {
  readonly #parts: ThreadProberParts;
  #life: Life | undefined;
  #probes = 0;
  #deathsInRow = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #whyNot = "";
  #isClosed = false;

  constructor(parts: ThreadProberParts) {
    this.#parts = parts;
  }

  prepare(probe: Probe): FarmProbe {
    this.#probes += 1;
    const numbered: NumberedProbe = { id: this.#probes, probe };
    return {
      start: (request, events) => this.#start(numbered, request, events),
      forget: () => this.#life?.conversation.forget(numbered.id),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#whyNot = "the node closes";
    const life = this.#life;
    this.#life = undefined;
    life?.conversation.close();
    await life?.thread.close();
    life?.conversation.end(this.#whyNot);
    // Checks that had no thread end by then.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #start(numbered: NumberedProbe, request: ProbeRequest, events: ProbeEvents): RunningProbe {
    const conversation = this.#conversation();
    if (conversation === undefined) return answeredProbe(checkFailed("local_limit", this.#whyNot), events);
    return conversation.start(numbered, request, events);
  }

  /** The one with the thread, which is started where it may be. */
  #conversation(): ProbeConversation | undefined {
    const { startThread, nowMs } = this.#parts;
    if (this.#life !== undefined) return this.#life.conversation;
    if (this.#isClosed || nowMs() < this.#notBeforeMs) return undefined;
    const sinceMs = nowMs();
    try {
      const conversation: ProbeConversation = new ProbeConversation((orders) => thread.post(orders));
      const thread = startThread({
        reports: (reports) => conversation.take(reports),
        died: (why) => this.#died(why, sinceMs, conversation),
      });
      this.#life = { thread, conversation };
      return conversation;
    } catch (error) {
      this.#died(error instanceof Error ? error.message : String(error), sinceMs, undefined);
      return undefined;
    }
  }

  #died(why: string, sinceMs: number, conversation: ProbeConversation | undefined): void {
    const { nowMs, backoff, onDeath } = this.#parts;
    if (this.#isClosed) return;
    this.#life = undefined;
    if (nowMs() - sinceMs >= provenAfterMs) this.#deathsInRow = 0;
    this.#notBeforeMs = nowMs() + backoff.delayMs(this.#deathsInRow);
    this.#deathsInRow += 1;
    this.#whyNot = `the thread of checks died: ${why}`;
    onDeath(why);
    conversation?.end(this.#whyNot);
  }
}
