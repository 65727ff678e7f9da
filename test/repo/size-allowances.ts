import type { SizeAllowance } from "./size-law.ts";

/** What may be bigger than the rest. Each entry says why it is better whole; dividing it comes first. */
export const sizeAllowances: readonly SizeAllowance[] = [
  {
    what: "test/contract/event-log.contract.ts",
    reason: "One contract, read from top to bottom by who writes an engine.",
  },
  { what: "test/corpus/accepted-hellos.ts", reason: "One table: what must be accepted." },
  { what: "test/corpus/rejected-hellos.ts", reason: "One table: what must be rejected, and for which reason." },
  {
    what: "test/health/probe-reasons.test.ts",
    reason: "One table: each reason of the closed set, and the server that brings it about.",
  },
];
