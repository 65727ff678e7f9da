import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import type { NatsConnection } from "nats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { JetStreamEventLog } from "../../controlplane/nats/jetstream-event-log.ts";
import {
  ConfigServiceClient,
  CreateFarmRequest,
  type CreateFarmResponse,
} from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

const replicaIds = ["cp-1", "cp-2", "cp-3", "cp-4"];

interface Replica {
  readonly connection: NatsConnection;
  readonly plane: ControlPlane;
  readonly client: ConfigServiceClient;
}

let server: NatsServer;
let folder: string;
let replicas: Replica[];
const faults: unknown[] = [];
beforeEach(async () => {
  server = await startNatsServer();
  folder = mkdtempSync(join(tmpdir(), "switchyard-writers-"));
  replicas = await Promise.all(replicaIds.map(startReplica));
});
afterEach(async () => {
  for (const { client, plane, connection } of replicas) {
    client.close();
    await plane.close(0);
    await connection.close();
  }
  rmSync(folder, { recursive: true });
  await server.dispose();
  expect(faults).toEqual([]);
});

async function startReplica(replicaId: string): Promise<Replica> {
  const connection = await connectNats({ servers: server.url, name: replicaId });
  const localPath = join(folder, `${replicaId}.sqlite`);
  const plane = await ControlPlane.start({
    log: await JetStreamEventLog.open({ connection, replicaId, localPath, limits: { replicas: 1 } }),
    adminAddress: "127.0.0.1:0",
    descriptors: readFileSync(new URL("../../proto/gen/image.binpb", import.meta.url)),
    softwareVersion: "test",
    now: Date.now,
    replicaId,
    onFault: (error) => faults.push(error),
  });
  const client = new ConfigServiceClient(`127.0.0.1:${plane.port}`, credentials.createInsecure());
  return { connection, plane, client };
}

function createFarm({ client }: Replica, name: string, requestId: string): Promise<CreateFarmResponse> {
  const request = CreateFarmRequest.fromPartial({ farm: { name: `farms/${name}` }, write: { requestId } });
  return new Promise((resolve, reject) => {
    client.createFarm(request, (error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}

test("four replicas write at once: each command is committed once, and no caller hears of a conflict", async () => {
  const perReplica = 40;
  const answers = await Promise.all(
    replicas.flatMap((replica, at) =>
      Array.from({ length: perReplica }, (_, index) => createFarm(replica, `r${at}-${index}`, `${at} ${index}`)),
    ),
  );
  const total = replicas.length * perReplica;
  const revisions = new Set(answers.map(({ revision }) => revision));
  expect(revisions.size).toBe(total);
  expect([...revisions].reduce((most, revision) => (revision > most ? revision : most), 0n)).toBe(BigInt(total));
  // The same request at another replica finds the commit that it made.
  const [first] = answers;
  expect((await createFarm(replicas[3] as Replica, "r0-0", "0 0")).revision).toBe(first?.revision);
  for (const { client, plane } of replicas) {
    await new Promise((resolve) => client.listCommits({ pageSize: 1, pageToken: "" }, resolve));
    await new Promise((resolve) => client.getFarm({ name: "farms/r0-0" }, resolve));
    expect(plane.stats()).toMatchObject({ revision: total, resources: total });
  }
});
