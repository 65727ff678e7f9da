import type { Probe } from "../../../model/farm-policy.ts";
import { checkFailed } from "../check-result.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "../probes/probe.ts";
import type { ProbeOrder, ProbeReport } from "./probe-messages.ts";

/** A probe as it is called in conversations. */
export interface NumberedProbe {
  readonly id: number;
  readonly probe: Probe;
}

interface OpenCheck {
  readonly events: ProbeEvents;
  /** Its result was told, or is not wanted any more. */
  isSettled: boolean;
}

/**
 * The near end of the conversation with one life of the thread: what it knows of probes, and the checks that it has. The
 * orders of one turn go together.
 */
export class ProbeConversation {
  readonly #post: (orders: readonly ProbeOrder[]) => void;
  /** Probes that the thread holds. */
  readonly #known = new Set<number>();
  readonly #open = new Map<number, OpenCheck>();
  #checks = 0;
  #orders: ProbeOrder[] = [];

  constructor(post: (orders: readonly ProbeOrder[]) => void) {
    this.#post = post;
  }

  /** Probes that the thread holds, and checks that it has. */
  get size(): { readonly probes: number; readonly checks: number } {
    return { probes: this.#known.size, checks: this.#open.size };
  }

  start({ id: probeId, probe }: NumberedProbe, request: ProbeRequest, events: ProbeEvents): RunningProbe {
    if (!this.#known.has(probeId)) {
      this.#known.add(probeId);
      this.#order({ type: "prepare", probeId, probe });
    }
    this.#checks += 1;
    const checkId = this.#checks;
    const check = { events, isSettled: false };
    this.#open.set(checkId, check);
    const { address, timeoutMs, header, wantsTickets } = request;
    this.#order({ type: "start", checkId, probeId, address, timeoutMs, header, wantsTickets });
    return {
      abort: () => {
        check.isSettled = true;
        if (this.#open.has(checkId)) this.#order({ type: "abort", checkId });
      },
    };
  }

  forget(probeId: number): void {
    if (this.#known.delete(probeId)) this.#order({ type: "forget", probeId });
  }

  /** What the thread tells. Of a check that is gone it is no news. */
  take(reports: readonly ProbeReport[]): void {
    for (const report of reports) {
      const check = this.#open.get(report.checkId);
      if (check === undefined) continue;
      switch (report.type) {
        case "result":
          if (check.isSettled) break;
          check.isSettled = true;
          check.events.result(report.result);
          break;
        case "ended":
          this.#open.delete(report.checkId);
          check.events.ended(report.ticketHeads);
          break;
      }
    }
  }

  /** The last order. Of the checks that run only the end is told. */
  close(): void {
    for (const check of this.#open.values()) check.isSettled = true;
    this.#order({ type: "close" });
  }

  /** The thread is gone: its checks end, and say nothing of servers. */
  end(why: string): void {
    const checks = [...this.#open.values()];
    this.#open.clear();
    for (const check of checks) {
      if (!check.isSettled) check.events.result(checkFailed("local_limit", why));
      check.events.ended([]);
    }
  }

  #order(order: ProbeOrder): void {
    if (this.#orders.push(order) > 1) return;
    queueMicrotask(() => {
      const orders = this.#orders;
      this.#orders = [];
      this.#post(orders);
    });
  }
}
