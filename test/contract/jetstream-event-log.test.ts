import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll } from "vitest";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { JetStreamEventLog } from "../../controlplane/nats/jetstream-event-log.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { describeEventLog } from "./event-log.contract.ts";

let server: NatsServer;
const connections: NatsConnection[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  // A replica of its own has a connection of its own.
  for (const name of ["one", "two"]) connections.push(await connectNats({ servers: server.url, name }));
});

afterAll(async () => {
  for (const connection of connections) await connection.close();
  await server.dispose();
});

let namespaces = 0;
const limits = { replicas: 1, logBytesMax: 8 << 20, blobBytesMax: 8 << 20, snapshotBytesMax: 8 << 20 };

describeEventLog("JetStreamEventLog", () => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-log-"));
  namespaces += 1;
  const namespace = `contract${namespaces}`;
  const pathOf = (index: number) => join(directory, `replica-${index}.sqlite`);
  const others: JetStreamEventLog[] = [];
  const open = async (index = 0) =>
    JetStreamEventLog.open({
      connection: connections[index]!,
      namespace,
      replicaId: `replica-${index}`,
      localPath: pathOf(index),
      limits,
      headsGatherMs: 200,
      othersBackMs: 0,
    });
  return {
    open: async () => open(),
    reopen: async () => open(),
    another: async () => {
      const other = await open(1);
      others.push(other);
      return other;
    },
    damageSnapshot: async (revision) => {
      const db = new Database(pathOf(0), { fileMustExist: true });
      db.prepare("UPDATE snapshots SET body = CAST('X' || substr(body, 2) AS BLOB) WHERE revision = ?").run(revision);
      db.close();
    },
    dispose: async () => {
      for (const other of others) await other.close();
      rmSync(directory, { recursive: true });
      const manager = await connections[0]!.jetstreamManager();
      for (const stream of ["LOG", "BLOBS", "SNAPSHOTS"])
        await manager.streams.delete(`${namespace.toUpperCase()}_${stream}`);
    },
  };
});
