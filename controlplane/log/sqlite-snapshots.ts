import type { Database } from "better-sqlite3";
import { type Position, sameBytes } from "../../model/commit.ts";
import { sha256 } from "./commit-chain.ts";
import type { NewerSnapshots, StoredSnapshot } from "./event-log.ts";

/** More than one, so that a damaged one leaves another to start from. */
export const snapshotsKept = 3;

interface SnapshotRow {
  readonly revision: number;
  readonly epoch: number;
  readonly hash: Uint8Array;
  readonly bodySha256: Uint8Array;
  readonly body: Uint8Array;
}

/** Keeps a snapshot in place of one at the same revision, and of the oldest; with `drop_newer` also of those after it. */
export function storeSnapshot(db: Database, { position, body }: StoredSnapshot, newer: NewerSnapshots): void {
  db.transaction(() => {
    if (newer === "drop_newer") db.prepare("DELETE FROM snapshots WHERE revision > ?").run(position.revision);
    db.prepare(
      "INSERT OR REPLACE INTO snapshots (revision, epoch, hash, body_sha256, body) VALUES (?, ?, ?, ?, ?)",
    ).run(position.revision, position.epoch, position.hash, sha256(body), body);
    db.prepare(
      "DELETE FROM snapshots WHERE revision NOT IN (SELECT revision FROM snapshots ORDER BY revision DESC LIMIT ?)",
    ).run(snapshotsKept);
  }).immediate();
}

/**
 * The newest snapshot at or before a revision whose body has its checksum and whose position is on the chain; any
 * other is passed over, so that a bad one costs a longer replay and nothing else.
 */
export function soundSnapshot(db: Database, revision: number): StoredSnapshot | undefined {
  const rows = db
    .prepare<[number], SnapshotRow>(
      `SELECT revision, epoch, hash, body_sha256 AS bodySha256, body
       FROM snapshots WHERE revision <= ? ORDER BY revision DESC`,
    )
    .iterate(revision);
  for (const row of rows) {
    const position: Position = { epoch: row.epoch, revision: row.revision, hash: plainBytes(row.hash) };
    if (sameBytes(sha256(row.body), row.bodySha256) && isOnChain(db, position)) {
      return { position, body: plainBytes(row.body) };
    }
  }
  return undefined;
}

/** Whether the log holds a commit with exactly this position. Revision 0 is before all commits. */
export function isOnChain(db: Database, position: Position): boolean {
  if (position.revision === 0) return position.hash.length === 0;
  const commit = db
    .prepare<[number], { epoch: number; hash: Uint8Array }>("SELECT epoch, hash FROM commits WHERE revision = ?")
    .get(position.revision);
  return commit !== undefined && commit.epoch === position.epoch && sameBytes(commit.hash, position.hash);
}

/** A view without what `Buffer` adds: its `slice` does not copy, which is a trap for whoever expects an array. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
