import type { FarmProbe, Prober } from "../../dataplane/health/probes/prober.ts";
import type { Probe } from "../../model/farm-policy.ts";

/** Passes all on to another prober, and counts. */
export class CountingProber implements Prober {
  /** Probes that are held, and checks that run. */
  held = 0;
  open = 0;
  openMost = 0;
  readonly #prober: Prober;

  constructor(prober: Prober) {
    this.#prober = prober;
  }

  prepare(probe: Probe): FarmProbe {
    const prepared = this.#prober.prepare(probe);
    this.held += 1;
    return {
      start: (request, events) => {
        this.open += 1;
        this.openMost = Math.max(this.openMost, this.open);
        return prepared.start(request, {
          result: (result) => events.result(result),
          ended: (ticketHeads) => {
            this.open -= 1;
            events.ended(ticketHeads);
          },
        });
      },
      forget: () => {
        this.held -= 1;
        prepared.forget();
      },
    };
  }

  close(): Promise<void> {
    return this.#prober.close();
  }
}
