/**
 * Appends to a log as fast as it can, and says each revision once it is acknowledged, until it is killed. Run as
 * `node appender.mjs <dist of sqlite-event-log> <log> <seed> [commits]`; with a number of commits it stops after them.
 *
 * Loaded, it waits for a byte on its input. Its lines: `opening`, `open <revision>`, then `ack <revision> <hash>` for
 * each commit; `refused <error name> <message>` if that is how it ends, and `then <head or error>` if the log was open.
 * They are written at once, without a queue: what was said before a kill is what was acknowledged.
 */
import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";

const [engine, path, seed, commits = "Infinity"] = process.argv.slice(2);
const { SqliteEventLog } = await import(engine);

const say = (line) => writeSync(1, `${line}\n`);
const sha256 = (bytes) => Uint8Array.from(createHash("sha256").update(bytes).digest());

/** Several appends in one turn share a sync; a snapshot now and then; now and then a body of several pages. */
const chainedMax = 8;
const snapshotEvery = 50;
const bigEvery = 20;
const bigBytes = 20_000;

readSync(0, Buffer.alloc(1));
let log;
try {
  say("opening");
  log = await SqliteEventLog.open({ path });
  let head = await log.head();
  say(`open ${head.revision}`);
  const last = head.revision + Number(commits);
  while (head.revision < last) {
    const chain = [];
    for (let left = 1 + (head.revision % chainedMax); left > 0; left -= 1) {
      const revision = head.revision + 1;
      const bytes = revision % bigEvery === 0 ? bigBytes : 200;
      const body = Buffer.alloc(bytes, `commit ${revision} by ${seed};`);
      const key = { revision, epoch: head.epoch, parentHash: head.hash, requestId: `request-${revision}` };
      const commit = { body, hash: sha256(body) };
      head = { epoch: head.epoch, revision, hash: commit.hash };
      chain.push(
        log.append(commit, key).then((answer) => {
          if (answer.outcome !== "appended") throw new Error(`revision ${revision}: ${answer.outcome}`);
          say(`ack ${revision} ${Buffer.from(commit.hash).toString("hex")}`);
        }),
      );
    }
    for (const answer of await Promise.allSettled(chain)) if (answer.status === "rejected") throw answer.reason;
    if (head.revision % snapshotEvery < chainedMax) {
      await log.saveSnapshot({ position: head, body: Buffer.alloc(10_000, `snapshot ${head.revision};`) });
    }
  }
  await log.close();
} catch (error) {
  say(`refused ${error.name} ${error.message}`);
  if (log !== undefined) say(`then ${await log.head().then(({ revision }) => revision, String)}`);
  process.exitCode = 1;
}
