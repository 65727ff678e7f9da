import { createHash } from "node:crypto";
import { connect, headers } from "nats";
import { expect, test } from "vitest";
import { appFleet } from "./app-fleet.ts";
import { logNames } from "../../model/log-names.ts";
import { decodeRecord, encodeCommitRecord } from "../../model/wire/log-record.ts";
import { Commit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { echoOnce } from "./long-connections.ts";
import { until } from "./real-fleet.ts";

/** Appends a commit as a newer control plane would: its one event has a schema version that nobody here knows. */
async function commitFromTheFuture(url: string): Promise<void> {
  const { logStream, logSubject } = logNames();
  const connection = await connect({ servers: url });
  try {
    const manager = await connection.jetstreamManager();
    const { last_seq: last } = (await manager.streams.info(logStream)).state;
    const message = await manager.streams.getMessage(logStream, { seq: last });
    const record = decodeRecord(message.data);
    if (record.record !== "commit") throw new Error(`the last record is a ${record.record}`);
    const { epoch } = Commit.decode(record.commit.body);
    const body = Commit.encode({
      epoch,
      revision: BigInt(last + 1),
      parentHash: record.commit.hash,
      requestId: "from-the-future",
      requestDigest: new Uint8Array(32),
      author: "newer",
      reason: "what this software does not know",
      time: { seconds: 1n, nanos: 0 },
      events: [{ schemaVersion: 99, fact: { $case: "deleted", value: { name: "farms/app" } } }],
    }).finish();
    const hash = Uint8Array.from(createHash("sha256").update(body).digest());
    // What stands beside a commit is the same in every version.
    const beside = headers();
    beside.set("Switchyard-Epoch", String(epoch));
    beside.set("Switchyard-Parent", Buffer.from(record.commit.hash).toString("hex"));
    const options = { msgID: "from-the-future", headers: beside, expect: { lastSequence: last } };
    await connection.jetstream().publish(logSubject, encodeCommitRecord({ body, hash }), options);
  } finally {
    await connection.close();
  }
}

async function logEnd(url: string): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const manager = await connection.jetstreamManager();
    return (await manager.streams.info(logNames().logStream)).state.last_seq;
  } finally {
    await connection.close();
  }
}

test("a commit of a newer schema version is not followed: the node serves what it has, also after a restart, and says so", async () => {
  const { fleet } = await appFleet({ replicas: 1, nodes: 1 });
  const [node] = fleet.nodes;
  await commitFromTheFuture(fleet.nats.url);
  const says = async (): Promise<boolean> => {
    const seen = await fleet.nodesSeen();
    return seen.some(({ degraded }) =>
      degraded?.some(({ name, reason }) => name === "log" && reason === "future_schema"),
    );
  };
  await until("a node that reports the newer schema", says);
  await echoOnce(node!, "app.test");
  await node!.process.kill();
  await node!.process.start();
  expect(await fleet.metric(node!, "switchyard_node_revision")).toBe(1);
  await echoOnce(node!, "app.test");
  await until("the same after the restart", says);
  // Older software does not take it away from those that know it.
  expect(await logEnd(fleet.nats.url)).toBe(2);
});
