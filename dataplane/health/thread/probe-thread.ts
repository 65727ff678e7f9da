import type { ProbeOrder, ProbeReport } from "./probe-messages.ts";

/** One life of the thread that checks servers, as the thread that decides connections has hold of it. */
export interface ProbeThread {
  /** Takes over the list. Orders to a thread that has ended are lost. */
  post(orders: readonly ProbeOrder[]): void;
  /** Waits for the end that the order `close` asks for, and forces it where that takes too long. */
  close(): Promise<void>;
}

export interface ProbeThreadEvents {
  reports(reports: readonly ProbeReport[]): void;
  /** It ended without being closed: why, in words. Nothing comes after. */
  died(why: string): void;
}

/** Starts the thread; events come later. Throws where there can be none. */
export type StartProbeThread = (events: ProbeThreadEvents) => ProbeThread;
