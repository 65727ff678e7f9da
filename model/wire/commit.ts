import { sha256 } from "@noble/hashes/sha2.js";
import { Commit as WireCommit, type Event as WireEvent } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { type Commit, type Position, type SealedCommit, sameBytes } from "../commit.ts";
import { type ConfigEvent, eventSchemaVersion } from "../event.ts";
import { kindOfName, type ResourceName } from "../resource-name.ts";
import type { Violation } from "../violation.ts";
import { parseResource } from "./parse-resource.ts";
import { resourceToWire } from "./resource-to-wire.ts";
import { timestampMs, timestampToWire } from "./timestamp.ts";

/** Encodes a commit, and hashes exactly those bytes. */
export function sealCommit(commit: Commit): SealedCommit {
  const body = WireCommit.encode({
    epoch: BigInt(commit.epoch),
    revision: BigInt(commit.revision),
    parentHash: commit.parentHash,
    requestId: commit.requestId,
    requestDigest: commit.requestDigest,
    author: commit.author,
    reason: commit.reason,
    time: timestampToWire(commit.timeMs),
    events: commit.events.map(eventToWire),
  }).finish();
  return { body, hash: sha256(body) };
}

/** Why a sealed commit can't be followed. */
export type CommitFault =
  /** The hash is not that of the body. */
  | "hash_mismatch"
  /** The body does not decode, or lacks what every commit has. */
  | "malformed"
  /** An event of a schema version, or of a kind, that this software does not know: it was written by a newer one. */
  | "future_schema"
  /** It does not continue the position: another epoch, another revision than the next, another parent. */
  | "broken_chain";

export type OpenedCommit =
  | { readonly commit: Commit; readonly position: Position }
  | { readonly fault: CommitFault; readonly detail: string };

/**
 * Opens a sealed commit: checks its hash, decodes it, lifts its events to the present schema. This is the one place
 * where events are read; an upcaster for an old schema version goes here.
 */
export function openCommit(sealed: SealedCommit): OpenedCommit {
  if (!sameBytes(sha256(sealed.body), sealed.hash)) return { fault: "hash_mismatch", detail: "hash and body disagree" };
  let message: WireCommit;
  try {
    message = WireCommit.decode(sealed.body);
  } catch (error) {
    return { fault: "malformed", detail: String(error) };
  }
  const revision = Number(message.revision);
  if (revision < 1 || message.epoch < 1n || message.time === undefined)
    return { fault: "malformed", detail: "revision, epoch or time is missing" };
  const events: ConfigEvent[] = [];
  for (const [index, event] of message.events.entries()) {
    const read = eventFromWire(event);
    if ("fault" in read) return { fault: read.fault, detail: `revision ${revision}, event ${index}: ${read.detail}` };
    events.push(read.event);
  }
  const { parentHash, requestId, requestDigest, author, reason, time } = message;
  const timeMs = timestampMs(time);
  const epoch = Number(message.epoch);
  const commit = { epoch, revision, parentHash, requestId, requestDigest, author, reason, timeMs, events };
  return { commit, position: { epoch, revision, hash: sealed.hash } };
}

/** The same, and the commit must be the next one after `from`. */
export function openNextCommit(from: Position, sealed: SealedCommit): OpenedCommit {
  const opened = openCommit(sealed);
  if ("fault" in opened) return opened;
  const { commit } = opened;
  if (commit.epoch === from.epoch && commit.revision === from.revision + 1 && sameBytes(commit.parentHash, from.hash))
    return opened;
  const detail = `commit ${commit.epoch}/${commit.revision} does not continue ${from.epoch}/${from.revision}`;
  return { fault: "broken_chain", detail };
}

function eventToWire(event: ConfigEvent): WireEvent {
  const schemaVersion = eventSchemaVersion;
  switch (event.type) {
    case "created":
    case "updated":
      return { schemaVersion, fact: { $case: event.type, value: { resource: resourceToWire(event.resource) } } };
    case "deleted":
      return { schemaVersion, fact: { $case: "deleted", value: { name: event.name } } };
  }
}

function eventFromWire(
  message: WireEvent,
): { readonly event: ConfigEvent } | { readonly fault: CommitFault; readonly detail: string } {
  if (message.schemaVersion > eventSchemaVersion || message.fact === undefined)
    return {
      fault: "future_schema",
      detail: `schema version ${message.schemaVersion}; known up to ${eventSchemaVersion}`,
    };
  const { fact } = message;
  if (fact.$case === "deleted") {
    if (kindOfName(fact.value.name) === undefined)
      return { fault: "malformed", detail: `${JSON.stringify(fact.value.name)} is no resource name` };
    return { event: { type: "deleted", name: fact.value.name as ResourceName } };
  }
  const violations: Violation[] = [];
  const resource = parseResource(fact.value.resource ?? { kind: undefined }, "resource", violations);
  if (resource !== undefined) return { event: { type: fact.$case, resource } };
  return { fault: "malformed", detail: violations.map((each) => `${each.field}: ${each.description}`).join("; ") };
}
