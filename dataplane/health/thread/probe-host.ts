import { LocalProber } from "../probes/local-prober.ts";
import type { RunningProbe } from "../probes/probe.ts";
import type { FarmProbe } from "../probes/prober.ts";
import type { ProbeOrder, ProbeReport } from "./probe-messages.ts";

/** The far end of the conversation: holds the probes that it was given, until it is told to forget them, and makes the checks. */
export class ProbeHost {
  readonly #post: (reports: readonly ProbeReport[]) => void;
  readonly #onClosed: () => void;
  readonly #prober = new LocalProber();
  readonly #probes = new Map<number, FarmProbe>();
  readonly #running = new Map<number, RunningProbe>();
  #reports: ProbeReport[] = [];

  /** `onClosed` is called when it was told to close, nothing is left of it, and all that it has to tell was posted. */
  constructor(post: (reports: readonly ProbeReport[]) => void, onClosed: () => void) {
    this.#post = post;
    this.#onClosed = onClosed;
  }

  /** Probes that it holds, and checks that it has. */
  get size(): { readonly probes: number; readonly checks: number } {
    return { probes: this.#probes.size, checks: this.#running.size };
  }

  take(orders: readonly ProbeOrder[]): void {
    for (const order of orders) this.#carryOut(order);
  }

  #carryOut(order: ProbeOrder): void {
    switch (order.type) {
      case "prepare":
        this.#probes.set(order.probeId, this.#prober.prepare(order.probe));
        return;
      case "forget":
        this.#probes.get(order.probeId)?.forget();
        this.#probes.delete(order.probeId);
        return;
      case "start":
        this.#start(order);
        return;
      case "abort":
        this.#running.get(order.checkId)?.abort();
        return;
      case "close":
        void this.#prober.close().then(() => {
          this.#flush();
          this.#onClosed();
        });
        return;
    }
  }

  #start({ checkId, probeId, ...request }: Extract<ProbeOrder, { type: "start" }>): void {
    const probe = this.#probes.get(probeId);
    if (probe === undefined) throw new Error(`check ${checkId} is by probe ${probeId}, which nobody prepared`);
    const running = probe.start(request, {
      result: (result) => this.#report({ type: "result", checkId, result }),
      ended: (ticketHeads) => {
        this.#running.delete(checkId);
        this.#report({ type: "ended", checkId, ticketHeads });
      },
    });
    this.#running.set(checkId, running);
  }

  /** What happens in one turn is told together. */
  #report(report: ProbeReport): void {
    if (this.#reports.push(report) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#reports.length === 0) return;
    this.#post(this.#reports);
    this.#reports = [];
  }
}
