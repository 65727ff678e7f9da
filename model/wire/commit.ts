import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { sha256 } from "@noble/hashes/sha2.js";
import { Commit as WireCommit, Event as WireEvent } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { type Commit, type Position, type SealedCommit, sameBytes } from "../commit.ts";
import { eventSchemaVersion, isConfigEvent, type LogEvent, schemaVersionOf } from "../event.ts";
import { joinedBytes } from "../joined-bytes.ts";
import { kindOfName, type ResourceName } from "../resource-name.ts";
import { atOnce, type Steps } from "../steps.ts";
import type { Violation } from "../violation.ts";
import { FieldReader } from "./field-reader.ts";
import { parseResource } from "./parse-resource.ts";
import { isReleaseFact, parseReleaseFact, releaseFactToWire } from "./release-events.ts";
import { storedResource } from "./stored-resource.ts";
import { timestampMs, timestampToWire } from "./timestamp.ts";

/** `Commit.events` in commits.proto. */
const eventsField = 9;

/** What is read, and hashed, between two places where others may run: about a millisecond each. */
const eventsPerStep = 100;
const bytesPerStep = 128 * 1024;

/** Events that are only told apart between two such places. */
const tagsPerStep = 2000;

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

/**
 * The commit that a rebuilt log goes on with: no events, and an epoch above the head's, so that revisions which the old
 * stream may have given to others are told apart. The reason says who rebuilt the log, and from what.
 */
export function sealEpochMarker(head: Position, epoch: number, reason: string, timeMs: number): SealedCommit {
  const revision = head.revision + 1;
  const requestDigest = sha256(new TextEncoder().encode(reason));
  const requestId = `epoch-${epoch}-at-${revision}`;
  const author = "switchyard";
  const parentHash = head.hash;
  return sealCommit({ epoch, revision, parentHash, requestId, requestDigest, author, reason, timeMs, events: [] });
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

/** The same as {@link opening}, at once. */
export function openCommit(sealed: SealedCommit): OpenedCommit {
  return atOnce(opening(sealed));
}

/** The same as {@link openingNext}, at once. */
export function openNextCommit(from: Position, sealed: SealedCommit): OpenedCommit {
  return atOnce(openingNext(from, sealed));
}

/**
 * Opens a sealed commit: checks its hash, decodes it, lifts its events to the present schema. This is the one place
 * where events are read; an upcaster for an old schema version goes here. In steps: a commit may hold 100,000 events.
 */
export function* opening(sealed: SealedCommit): Steps<OpenedCommit> {
  if (!sameBytes(yield* hashing(sealed.body), sealed.hash))
    return { fault: "hash_mismatch", detail: "hash and body disagree" };
  let message: WireCommit;
  let encodedEvents: readonly Uint8Array[];
  try {
    ({ message, encodedEvents } = yield* takingApart(sealed.body));
  } catch (error) {
    return { fault: "malformed", detail: String(error) };
  }
  const revision = Number(message.revision);
  if (revision < 1 || message.epoch < 1n || message.time === undefined)
    return { fault: "malformed", detail: "revision, epoch or time is missing" };
  const events: LogEvent[] = [];
  for (const [index, encoded] of encodedEvents.entries()) {
    if (index % eventsPerStep === eventsPerStep - 1) yield;
    const read = readEvent(encoded, revision);
    if ("fault" in read) return { fault: read.fault, detail: `revision ${revision}, event ${index}: ${read.detail}` };
    events.push(read.event);
  }
  const { parentHash, requestId, requestDigest, author, reason, time } = message;
  const timeMs = timestampMs(time);
  const epoch = Number(message.epoch);
  const commit = { epoch, revision, parentHash, requestId, requestDigest, author, reason, timeMs, events };
  return { commit, position: { epoch, revision, hash: sealed.hash } };
}

/**
 * The same, and the commit must be the next one after `from`. A later epoch continues an earlier one, as the parent hash
 * binds it: a log that was rebuilt goes on so (`sealEpochMarker`).
 */
export function* openingNext(from: Position, sealed: SealedCommit): Steps<OpenedCommit> {
  const opened = yield* opening(sealed);
  if ("fault" in opened) return opened;
  const { commit } = opened;
  if (commit.epoch >= from.epoch && commit.revision === from.revision + 1 && sameBytes(commit.parentHash, from.hash))
    return opened;
  const detail = `commit ${commit.epoch}/${commit.revision} does not continue ${from.epoch}/${from.revision}`;
  return { fault: "broken_chain", detail };
}

function* hashing(body: Uint8Array): Steps<Uint8Array> {
  const hash = sha256.create();
  for (let start = 0; start < body.length; start += bytesPerStep) {
    if (start > 0) yield;
    hash.update(body.subarray(start, start + bytesPerStep));
  }
  return hash.digest();
}

/** Takes a commit apart without decoding its events: their bytes, and the message of all the rest. */
function* takingApart(body: Uint8Array): Steps<{ message: WireCommit; encodedEvents: readonly Uint8Array[] }> {
  const reader = new BinaryReader(body);
  const encodedEvents: Uint8Array[] = [];
  const rest: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    if (field === eventsField && wireType === WireType.LengthDelimited) {
      if (encodedEvents.push(reader.bytes()) % tagsPerStep === 0) yield;
    } else {
      reader.skip(wireType, field);
      rest.push(body.subarray(start, reader.pos));
    }
  }
  return { message: WireCommit.decode(joinedBytes(rest)), encodedEvents };
}

function readEvent(encoded: Uint8Array, revision: number): ReadEvent {
  let message: WireEvent;
  try {
    message = WireEvent.decode(encoded);
  } catch (error) {
    return { fault: "malformed", detail: String(error) };
  }
  return eventFromWire(message, revision);
}

function eventToWire(event: LogEvent): WireEvent {
  const schemaVersion = schemaVersionOf(event);
  if (!isConfigEvent(event)) return { schemaVersion, fact: releaseFactToWire(event) };
  switch (event.type) {
    case "created":
    case "updated":
      return { schemaVersion, fact: { $case: event.type, value: { resource: storedResource(event.resource) } } };
    case "deleted":
      return { schemaVersion, fact: { $case: "deleted", value: { name: event.name } } };
  }
}

type ReadEvent = { readonly event: LogEvent } | { readonly fault: CommitFault; readonly detail: string };

/** `revision` is that of the commit. */
function eventFromWire(message: WireEvent, revision: number): ReadEvent {
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
  if (isReleaseFact(fact)) {
    const event = parseReleaseFact(fact, revision, new FieldReader("", violations));
    if (violations.length === 0) return { event };
  } else {
    const resource = parseResource(fact.value.resource ?? { kind: undefined }, "resource", violations);
    if (resource !== undefined) return { event: { type: fact.$case, resource } };
  }
  return { fault: "malformed", detail: violations.map((each) => `${each.field}: ${each.description}`).join("; ") };
}
