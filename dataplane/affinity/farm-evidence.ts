import type { ServerTickets } from "./server-tickets.ts";
import { unalikeTicketsMax } from "./ticket-learner.ts";

/** What a farm's tickets show: numbers of servers, except where said otherwise. */
export interface TicketEvidence {
  /** Whose tickets begin with names. */
  readonly named: number;
  /** Whose tickets have nothing in common. */
  readonly nameless: number;
  /** Of the named: those that have a key which another server has too. */
  readonly sharing: number;
  /** Of the named: those with several keys at once. */
  readonly alternating: number;
  /** Of the named: those that take a new key at regular times. */
  readonly rotating: number;
  /** How often those do; null where none does. */
  readonly rotationMs: number | null;
  /** Lengths of names, shortest first. */
  readonly nameBytes: readonly number[];
}

/** A name that was good so long before the server's last one is in use beside it. */
const besideMs = 3_600_000;

export function evidenceOf(servers: Iterable<ServerTickets>, nowMs: number): TicketEvidence {
  const all = [...servers];
  const nameless = all.filter(isNameless);
  const named = all.filter((each) => !isNameless(each) && each.names.some(({ holder }) => holder.tickets >= 2));
  const alternating = named.filter((each) => each.alternates(nowMs));
  const periodsMs = named.filter((each) => !alternating.includes(each)).flatMap(rotationMsOf);
  return {
    named: named.length,
    nameless: nameless.length,
    sharing: named.filter(isSharing).length,
    alternating: alternating.length,
    rotating: periodsMs.length,
    rotationMs: periodsMs.length === 0 ? null : mean(periodsMs),
    nameBytes: [...new Set(named.map(({ nameBytes }) => nameBytes))].sort((one, other) => one - other),
  };
}

function isNameless({ unalike }: ServerTickets): boolean {
  return unalike >= unalikeTicketsMax;
}

function isSharing({ names }: ServerTickets): boolean {
  const lastMs = Math.max(...names.map(({ holder }) => holder.lastGoodMs));
  return names.some(({ name, holder }) => name.holders.size > 1 && lastMs - holder.lastGoodMs <= besideMs);
}

/** Two changes may be two restarts; three at even distances are a habit. */
function rotationMsOf({ changesMs }: ServerTickets): readonly number[] {
  const pauses = changesMs.slice(1).map((at, index) => at - (changesMs[index] as number));
  const regular = pauses.length >= 2 && Math.max(...pauses) <= 2 * Math.min(...pauses);
  return regular ? [mean(pauses)] : [];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
