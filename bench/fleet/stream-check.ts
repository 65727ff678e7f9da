import { connect } from "nats";
import { origin, type Position } from "../../model/commit.ts";
import { logNames } from "../../model/log-names.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { decodeRecord } from "../../model/wire/log-record.ts";

/** Reads that are under way at once. */
const readsAtOnce = 64;

/**
 * Reads the whole stream and compares it with what was acknowledged: each request once, at the revision that its caller
 * was told, in one unbroken chain. Answers how many revisions there are.
 *
 * @throws Error that says what is lost, doubled or broken
 */
export async function checkStream(url: string, acknowledged: ReadonlyMap<string, number>): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const names = logNames();
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(names.logStream);
    const found = new Map<string, number>();
    let position: Position = origin;
    for (let first = 1; first <= state.last_seq; first += readsAtOnce) {
      const count = Math.min(readsAtOnce, state.last_seq - first + 1);
      const reads = Array.from({ length: count }, (_, offset) =>
        manager.streams.getMessage(names.logStream, { seq: first + offset }),
      );
      for (const { seq, data } of await Promise.all(reads)) {
        const record = decodeRecord(data);
        if (record.record !== "commit") throw new Error(`sequence ${seq} is no commit: ${record.record}`);
        const opened = openNextCommit(position, record.commit);
        if ("fault" in opened) throw new Error(`sequence ${seq}: ${opened.fault}: ${opened.detail}`);
        if (opened.position.revision !== seq)
          throw new Error(`sequence ${seq} has revision ${opened.position.revision}`);
        const { requestId } = opened.commit;
        if (found.has(requestId)) throw new Error(`${requestId} is in the log twice`);
        found.set(requestId, seq);
        position = opened.position;
      }
    }
    for (const [requestId, revision] of acknowledged)
      if (found.get(requestId) !== revision)
        throw new Error(
          `${requestId} was acknowledged at ${revision}, and is at ${found.get(requestId) ?? "no revision"}`,
        );
    return state.last_seq;
  } finally {
    await connection.close();
  }
}
