import type { Database, Statement } from "better-sqlite3";
import type { ChainLink } from "./commit-chain.ts";

/** What the log asks of its file in its normal work; prepared once. */
export interface SqliteStatements {
  readonly insert: Statement<[number, number, string, Uint8Array, Uint8Array, Uint8Array]>;
  readonly revisionOf: Statement<[string], number>;
  readonly read: Statement<[number, number], { revision: number; body: Uint8Array; hash: Uint8Array }>;
  readonly readKeyed: Statement<[number, number], ChainLink & { readonly requestId: string }>;
}

export function prepareStatements(db: Database): SqliteStatements {
  return {
    insert: db.prepare(
      "INSERT INTO commits (revision, epoch, request_id, parent_hash, hash, body) VALUES (?, ?, ?, ?, ?, ?)",
    ),
    revisionOf: db.prepare<[string], number>("SELECT revision FROM commits WHERE request_id = ?").pluck(),
    read: db.prepare("SELECT revision, body, hash FROM commits WHERE revision > ? ORDER BY revision LIMIT ?"),
    readKeyed: db.prepare(
      `SELECT revision, epoch, request_id AS requestId, parent_hash AS parentHash, hash, body
       FROM commits WHERE revision > ? ORDER BY revision LIMIT ?`,
    ),
  };
}
