import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { LogUnavailable } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { leftOver, openResources } from "../support/open-resources.ts";
import { waitFor } from "../support/wait-for.ts";
import { NodeSession } from "./node-session.ts";
import { RunningControlPlane } from "./running-control-plane.ts";

/** What a first run leaves for good: loaded addons, the resolver's threads. */
async function warmUp(): Promise<void> {
  const running = await RunningControlPlane.start();
  await running.config.createFarm({ farm: { name: "farms/web" } });
  running.watch().cancel();
  await running.close();
}

test("closing with streams, sessions and calls under way leaves no descriptor and no timer", async () => {
  await warmUp();
  const before = openResources();
  const running = await RunningControlPlane.start();
  const streams = Array.from({ length: 5 }, () => running.watch());
  const sessions = Array.from({ length: 5 }, (_, index) => new NodeSession(running.address).hello(`n${index}`));
  for (const session of sessions) await session.welcomed();
  await waitFor("followers", () => running.plane.stats().followers === 5);
  const calls = Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => running.config.createFarm({ farm: { name: `farms/f${index}` } })),
  );
  // Nothing here ends by its grace: followers and sessions are ended, calls are waited for.
  await running.close(600_000);
  await calls;
  for (const stream of streams) await stream.ended();
  for (const session of sessions) await session.ended();
  await waitFor("everything to be given back", () => leftOver(before, openResources()) === "");
});

test("calls that are under way when it closes are answered", async () => {
  const running = await RunningControlPlane.start();
  const calls = Array.from({ length: 20 }, (_, index) =>
    running.config.createFarm({ farm: { name: `farms/f${index}` } }),
  );
  await calls[0];
  const closed = running.plane.close(600_000);
  const answers = await Promise.allSettled(calls);
  await closed;
  expect(answers.filter(({ status }) => status === "rejected")).toEqual([]);
  await running.restart();
  expect((await running.config.listFarms({ pageSize: 100 })).farms.length).toBe(20);
  await running.close();
});

test("what does not end by itself is ended when the grace is over", async () => {
  const running = await RunningControlPlane.start();
  // Who watches health is never told that it is over; the answers' content is of no interest here.
  const client = new Client(running.address, credentials.createInsecure());
  const raw = (bytes: Buffer): Buffer => bytes;
  const watching = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", raw, raw, Buffer.alloc(0));
  let heard = false;
  let over = false;
  watching.on("data", () => {
    heard = true;
  });
  watching.on("error", () => {
    over = true;
  });
  await waitFor("the first status", () => heard);
  expect(over).toBe(false);
  await running.close(50);
  await waitFor("the call's end", () => over);
  client.close();
  // Without the end of the grace it is the keepalive that ends the connection, after 20 s.
}, 15_000);

test("a control plane that can't listen says where, and gives the log back", async () => {
  const running = await RunningControlPlane.start();
  const folder = mkdtempSync(join(tmpdir(), "switchyard-closing-"));
  const path = join(folder, "log.sqlite");
  const start = async (): Promise<ControlPlane> =>
    ControlPlane.start({
      log: await SqliteEventLog.open({ path }),
      adminAddress: running.address,
      descriptors: Buffer.alloc(0),
      softwareVersion: "test",
      now: () => 0,
      onFault: () => undefined,
    });
  try {
    await expect(start()).rejects.toThrow(`the admin API can't listen on ${running.address}`);
    await (await SqliteEventLog.open({ path })).close();
  } finally {
    await running.close();
    rmSync(folder, { recursive: true });
  }
});

test("once closed, the port is free and the log answers no more", async () => {
  const running = await RunningControlPlane.start();
  const { port } = running.plane;
  await running.plane.close(0);
  await expect(running.log.head()).rejects.toThrow(LogUnavailable);
  const refused = await new Promise<string>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("connect", () => {
      socket.destroy();
      resolve("it listens");
    });
  });
  expect(refused).toBe("ECONNREFUSED");
  await running.restart();
  await running.close();
});
