import type { NodeReport } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** More different texts than this are not said by a fleet that is well: then all are forgotten, and kept anew. */
const textsMax = 4096;

/**
 * The sentences and the advice of all nodes, each kept once: ten thousand nodes say the same of a thousand farms, which would
 * else be gigabytes.
 */
export class SharedTexts {
  readonly #texts = new Map<string, string>();

  /** The report itself, with texts that others have too. */
  shareIn(report: NodeReport): NodeReport {
    for (const affinity of report.farmAffinity) {
      affinity.farm = this.#shared(affinity.farm);
      affinity.finding = this.#shared(affinity.finding);
      affinity.sentence = this.#shared(affinity.sentence);
      affinity.advice = this.#shared(affinity.advice);
    }
    return report;
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= textsMax) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
