import type { Configuration } from "../../model/configuration.ts";
import type { EventLog } from "../log/event-log.ts";
import { configurationAt } from "./log-follower.ts";

/**
 * The configuration at an older revision, folded once for all who ask for it at about the same time: when a region comes back, a
 * thousand nodes do. It is let go of when nobody holds on to it.
 */
export class SharedConfiguration {
  readonly #log: EventLog;
  #folding: { readonly revision: number; readonly result: Promise<Configuration> } | undefined;
  #folded: WeakRef<Configuration> | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Not to be changed. @throws LogCorrupt, LogUnavailable */
  at(revision: number): Promise<Configuration> {
    const folded = this.#folded?.deref();
    if (folded?.position.revision === revision) return Promise.resolve(folded);
    if (this.#folding?.revision === revision) return this.#folding.result;
    const result = this.#fold(revision).finally(() => {
      if (this.#folding?.result === result) this.#folding = undefined;
    });
    this.#folding = { revision, result };
    return result;
  }

  async #fold(revision: number): Promise<Configuration> {
    const configuration = await configurationAt(this.#log, revision);
    this.#folded = new WeakRef(configuration);
    return configuration;
  }
}
