import { headers, type MsgHdrs } from "nats";
import type { SealedCommit } from "../../model/commit.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { decodeRecord } from "../../model/wire/log-record.ts";
import type { AppendKey } from "../log/event-log.ts";
import type { KeyedCommit } from "../log/sqlite-event-log.ts";

/**
 * What an engine must know of a commit without opening it stands in headers beside it. A record without them, of whoever
 * wrote it, is opened for it.
 */
const epochHeader = "Switchyard-Epoch";
const parentHeader = "Switchyard-Parent";
const messageIdHeader = "Nats-Msg-Id";

/** Ids that a header carries as they are; any other goes as base64url behind a mark. */
const plainId = /^[\x21-\x7e]{1,256}$/;
const encodedMark = "b64:";

/** The message id of a request id: the server takes a message id once within its window. */
export function messageId(requestId: string): string {
  if (plainId.test(requestId) && !requestId.startsWith(encodedMark)) return requestId;
  return encodedMark + Buffer.from(requestId).toString("base64url");
}

function requestIdOf(id: string): string {
  return id.startsWith(encodedMark) ? Buffer.from(id.slice(encodedMark.length), "base64url").toString() : id;
}

export function recordHeaders({ epoch, parentHash, requestId }: AppendKey): MsgHdrs {
  const made = headers();
  made.set(messageIdHeader, messageId(requestId));
  made.set(epochHeader, String(epoch));
  made.set(parentHeader, Buffer.from(parentHash).toString("hex"));
  return made;
}

/** A message of the log's stream, read. A large commit's body is still to be fetched. */
export type RecordMessage =
  | ({ readonly read: "commit" } & KeyedCommit)
  | {
      readonly read: "reference";
      readonly hash: Uint8Array;
      readonly size: number;
      readonly chunkCount: number;
      /** Undefined where it has no headers: its body tells. */
      readonly key: AppendKey | undefined;
    }
  | { readonly read: "malformed"; readonly detail: string };

/** Reads a message. Neither the hash nor the chain is checked here. */
export function readRecordMessage(sequence: number, head: MsgHdrs | undefined, data: Uint8Array): RecordMessage {
  const record = decodeRecord(data);
  const key = keyOfHeaders(sequence, head);
  switch (record.record) {
    case "malformed":
      return { read: "malformed", detail: record.detail };
    case "reference": {
      const { hash, size, chunkCount } = record;
      return { read: "reference", hash, size, chunkCount, key };
    }
    case "commit":
      return keyedCommit(record.commit, key);
  }
}

/** A commit with its key, which is taken from its body where there is none. */
export function keyedCommit(
  commit: SealedCommit,
  key: AppendKey | undefined,
): ({ readonly read: "commit" } & KeyedCommit) | { readonly read: "malformed"; readonly detail: string } {
  if (key !== undefined) return { read: "commit", commit, key };
  const opened = openCommit(commit);
  if ("fault" in opened) return { read: "malformed", detail: `${opened.fault}: ${opened.detail}` };
  const { revision, epoch, parentHash, requestId } = opened.commit;
  return { read: "commit", commit, key: { revision, epoch, parentHash, requestId } };
}

function keyOfHeaders(sequence: number, head: MsgHdrs | undefined): AppendKey | undefined {
  if (head === undefined) return undefined;
  const epoch = Number(head.get(epochHeader));
  const id = head.get(messageIdHeader);
  if (!head.has(parentHeader) || !Number.isSafeInteger(epoch) || epoch < 1 || id === "") return undefined;
  const parentHash = Uint8Array.from(Buffer.from(head.get(parentHeader), "hex"));
  return { revision: sequence, epoch, parentHash, requestId: requestIdOf(id) };
}
