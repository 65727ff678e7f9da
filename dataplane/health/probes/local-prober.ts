import type { Probe } from "../../../model/farm-policy.ts";
import { prepareProbe } from "./prepare-probe.ts";
import type { PreparedProbe, ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";
import type { FarmProbe, Prober } from "./prober.ts";
import { startProbe } from "./start-probe.ts";

/**
 * Checks that are begun in one turn of the loop. The rest wait for the next turn, with no time limit running yet: handshakes
 * that come all at once would make the turns so long that none of them is in time.
 */
const startsPerTurn = 4;

/** A check that was asked for and has not ended. */
interface OpenCheck {
  readonly begin: () => RunningProbe;
  readonly events: ProbeEvents;
  running: RunningProbe | undefined;
  isAborted: boolean;
}

/** Checks that are made in the thread that asks for them. */
export class LocalProber implements Prober {
  readonly #open = new Set<OpenCheck>();
  readonly #waiting: OpenCheck[] = [];
  #isTurnToCome = false;
  #onAllEnded: (() => void) | undefined;

  prepare(probe: Probe): FarmProbe {
    let prepared: PreparedProbe | undefined;
    return {
      start: (request, events) => this.#start(() => (prepared ??= prepareProbe(probe)), request, events),
      forget: () => {
        prepared = undefined;
      },
    };
  }

  async close(): Promise<void> {
    for (const check of this.#open) abort(check);
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#onAllEnded = resolve));
  }

  #start(prepared: () => PreparedProbe, request: ProbeRequest, events: ProbeEvents): RunningProbe {
    const check: OpenCheck = {
      begin: () =>
        startProbe(prepared(), request, {
          result: (result) => events.result(result),
          ended: (ticketHeads) => this.#ended(check, ticketHeads),
        }),
      events,
      running: undefined,
      isAborted: false,
    };
    this.#open.add(check);
    this.#waiting.push(check);
    this.#planTurn();
    return { abort: () => abort(check) };
  }

  #planTurn(): void {
    if (this.#isTurnToCome) return;
    this.#isTurnToCome = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnToCome = false;
    for (let started = 0; started < startsPerTurn; ) {
      const check = this.#waiting.shift();
      if (check === undefined) return;
      if (check.isAborted) this.#ended(check, []);
      else {
        check.running = check.begin();
        started += 1;
      }
    }
    if (this.#waiting.length > 0) this.#planTurn();
  }

  #ended(check: OpenCheck, ticketHeads: readonly Uint8Array[]): void {
    this.#open.delete(check);
    check.events.ended(ticketHeads);
    if (this.#open.size === 0) this.#onAllEnded?.();
  }
}

/** One that still waits ends when its turn comes. */
function abort(check: OpenCheck): void {
  check.isAborted = true;
  check.running?.abort();
}
