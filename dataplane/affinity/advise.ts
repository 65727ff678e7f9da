import type { TicketEvidence } from "./farm-evidence.ts";
import { keyNameSettings, sessionSettings, sharedKeySettings } from "./stack-settings.ts";

/** How a farm's servers make sessions; the words of `FarmAffinity.finding` in `fleet_service.proto`. */
export type AffinityFinding =
  | "learning"
  | "key_per_server"
  | "shared_keys"
  | "no_key_name"
  | "rotating_keys"
  | "key_per_worker"
  | "no_sessions";

export interface AffinityReport {
  readonly finding: AffinityFinding;
  /** The finding in a sentence, with figures. */
  readonly sentence: string;
  /** Settings that would help, a line for each TLS stack; empty where nothing needs help. */
  readonly advice: string;
  readonly ticketNames: number;
  readonly sessionIds: number;
}

/** All that a farm showed so far. */
export interface FarmEvidence extends TicketEvidence {
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  /** Known names of ticket keys, and session ids. */
  readonly ticketNames: number;
  readonly sessionIds: number;
  /** Handshakes that gave the client nothing to resume by. */
  readonly withoutSession: number;
}

/** Fewer handshakes without a session may be those of clients that want none. */
const withoutSessionMin = 3;

/** What an operator should know of a farm's sessions, and do. */
export function advise(evidence: FarmEvidence): AffinityReport {
  const { ticketNames, sessionIds } = evidence;
  const finding = findingOf(evidence);
  return {
    finding,
    sentence: `${sentenceOf(finding, evidence)} ${outcomesOf(evidence)}`.trim(),
    advice: adviceOf(finding, evidence),
    ticketNames,
    sessionIds,
  };
}

function findingOf(evidence: FarmEvidence): AffinityFinding {
  const { named, nameless, alternating, sharing, rotating, sessionIds, withoutSession, accepted } = evidence;
  if (named + nameless === 0) {
    if (sessionIds > 0) return "key_per_server";
    return withoutSession >= withoutSessionMin && accepted === 0 ? "no_sessions" : "learning";
  }
  if (alternating > 0) return "key_per_worker";
  if (nameless >= named) return "no_key_name";
  if (named > 1 && sharing === named) return "shared_keys";
  return rotating * 2 >= named ? "rotating_keys" : "key_per_server";
}

function sentenceOf(finding: AffinityFinding, evidence: FarmEvidence): string {
  const { named, nameless, alternating, sharing, rotating, rotationMs, sessionIds, ticketNames } = evidence;
  const all = servers(named + nameless);
  switch (finding) {
    case "learning":
      return "No server has shown yet how it makes sessions.";
    case "no_sessions":
      return `In ${evidence.withoutSession} handshakes no server gave its client a session to resume.`;
    case "no_key_name":
      return `The tickets of ${nameless} of ${all} have no key name: clients can't be led back by them.`;
    case "key_per_worker":
      return `${alternating} of ${all} ${alternating === 1 ? "uses" : "use"} several ticket keys at once, as where each worker has its own: a client that is led back may meet another worker.`;
    case "shared_keys": {
      const rotation = rotationMs === null ? "" : `, new about every ${duration(rotationMs)}`;
      return `${servers(named)} share ticket keys${rotation}: any of them resumes a session.`;
    }
    case "rotating_keys":
      return `${rotating} of ${all} ${rotating === 1 ? "takes" : "take"} a new ticket key about every ${duration(rotationMs ?? 0)}; clients are led back by ${ticketNames} key names.`;
    case "key_per_server": {
      if (named === 0) return `The servers keep sessions by id (TLS 1.2 and older); ${sessionIds} ids are known.`;
      const some = sharing > 0 ? `, ${sharing} of them a key that another has too` : "";
      return `${servers(named)} ${named === 1 ? "has its own ticket key" : "have ticket keys of their own"}${some}: clients are led back by ${ticketNames} key ${ticketNames === 1 ? "name" : "names"} of ${lengths(evidence)} bytes.`;
    }
  }
}

function adviceOf(finding: AffinityFinding, { nameBytes, named }: FarmEvidence): string {
  switch (finding) {
    case "learning":
    case "shared_keys":
      return "";
    case "no_sessions":
      return sessionSettings();
    case "no_key_name":
      return keyNameSettings();
    case "key_per_worker":
      return `Make the TLS context before the workers fork, or give all of them one key. ${sharedKeySettings(nameBytes)}`;
    case "rotating_keys":
      return `Nothing must be done: new keys are learnt as they come. ${optional(nameBytes)}`;
    case "key_per_server":
      return named === 0 ? "" : `Nothing must be done. ${optional(nameBytes)}`;
  }
}

function optional(nameBytes: readonly number[]): string {
  return `For sessions that outlive their server: ${sharedKeySettings(nameBytes)}`;
}

/** What came of it; the share is of offers whose end was seen. */
function outcomesOf({ offered, accepted, refused }: FarmEvidence): string {
  const known = accepted + refused;
  if (offered === 0 || known === 0) return "";
  return `Of ${offered} sessions that clients offered, ${accepted} were resumed and ${refused} refused (${((100 * refused) / known).toFixed(1)} % lost).`;
}

function servers(count: number): string {
  return `${count} ${count === 1 ? "server" : "servers"}`;
}

function lengths({ nameBytes }: FarmEvidence): string {
  return nameBytes.join(" or ");
}

/** Hours, or what is fit for less. */
function duration(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 90) return `${Math.max(1, Math.round(minutes))} minutes`;
  return `${Math.round(minutes / 6) / 10} hours`;
}
