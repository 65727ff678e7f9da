import type { Probe } from "../../../model/farm-policy.ts";
import type { ProbeEvents, ProbeRequest, RunningProbe } from "./probe.ts";

/** Makes checks: in the thread that asks, or in one of its own. Who holds it closes it. */
export interface Prober {
  /**
   * Takes in a farm's probe, for whoever then holds it. What its checks share is made for the first of them and kept, so
   * that certificates to trust are read once and not at every handshake.
   */
  prepare(probe: Probe): FarmProbe;
  /** Cuts off what runs. Resolves when nothing is left of it: no socket, no thread. No check is begun after. */
  close(): Promise<void>;
}

/** A farm's probe, held by one: the farm that is checked. */
export interface FarmProbe {
  /** Begins a check. Events come later, never while this runs. */
  start(request: ProbeRequest, events: ProbeEvents): RunningProbe;
  /** The farm is gone, or has another probe. What its checks shared is given back; checks that run go on. None is begun after. */
  forget(): void;
}
