import { afterEach, beforeEach, expect, test } from "vitest";
import { refusalText } from "./refusal-of.ts";
import { RunningControlPlane, wire } from "./running-control-plane.ts";

let running: RunningControlPlane;
beforeEach(async () => {
  running = await RunningControlPlane.start();
  const resources = [
    wire({ farm: { name: "farms/web" } }),
    wire({ server: { name: "farms/web/servers/a", address: "10.0.0.1:443" } }),
  ];
  await running.config.apply({ resources, write: { requestId: "first" } });
});
afterEach(() => running.close());

const write = { requestId: "again", author: "ann", reason: "to try" };
const commands: Readonly<Record<string, (running: RunningControlPlane) => Promise<unknown>>> = {
  create: ({ config }) => config.createFarm({ farm: { name: "farms/new" }, write }),
  update: ({ config }) =>
    config.updateServer({ server: { name: "farms/web/servers/a", address: "10.0.0.9:1" }, write }),
  "update by mask": ({ config }) =>
    config.updateServer({ server: { name: "farms/web/servers/a", weight: 9 }, updateMask: ["weight"], write }),
  delete: ({ config }) => config.deleteServer({ name: "farms/web/servers/a", write }),
  "apply of something new": ({ config }) =>
    config.apply({ resources: [wire({ farm: { name: "farms/new" } }), wire({ farm: { name: "farms/web" } })], write }),
  revert: ({ config }) => config.revert({ revision: 0n, write }),
};

test.each(Object.keys(commands))("a retry of %s gives the first answer, and makes no second commit", async (name) => {
  const command = commands[name] as (typeof commands)[string];
  const first = await command(running);
  expect(running.plane.position.revision).toBe(2);
  expect(await command(running)).toEqual(first);

  // Whatever has happened since, and in another process.
  await running.config.apply({ resources: [wire({ farm: { name: "farms/later" } })], prune: true });
  expect(await command(running)).toEqual(first);
  await running.restart();
  expect(await command(running)).toEqual(first);
  expect(running.plane.position.revision).toBe(3);
});

test("retries that overlap make one commit", async () => {
  const create = commands["create"] as (typeof commands)[string];
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(running)));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(running.plane.position.revision).toBe(2);
});

test("retries at two replicas make one commit", async () => {
  const replica = await running.replica();
  try {
    const request = { farm: { name: "farms/new" }, write };
    const answers = await Promise.all([running.config.createFarm(request), replica.config.createFarm(request)]);
    expect(answers[0]).toEqual(answers[1]);
    expect((await running.log.head()).revision).toBe(2);
  } finally {
    await replica.close();
  }
});

test("an update's retry plan leaves out the fields: only the outcome is known then", async () => {
  const resources = [
    wire({ server: { name: "farms/web/servers/a", address: "10.0.0.1:443", weight: 5 } }),
    wire({ farm: { name: "farms/web" } }),
  ];
  const name = "farms/web/servers/a";
  const first = await running.config.apply({ resources, write });
  expect(first.plan).toEqual({ changes: [{ verb: 2, name, fields: ["weight"] }], unchangedCount: 1 });
  const again = await running.config.apply({ resources, write });
  expect(again).toEqual({ ...first, plan: { changes: [{ verb: 2, name, fields: [] }], unchangedCount: 1 } });
});

test("a request id that was used for another command is refused, live and with validate_only", async () => {
  const used = "INVALID_ARGUMENT REQUEST_ID_REUSED | write.request_id: DUPLICATE";
  const { config } = running;
  const requestId = "first";
  for (const validateOnly of [false, true]) {
    const reuse = { requestId, validateOnly };
    expect(await refusalText(config.createFarm({ farm: { name: "farms/new" }, write: reuse }))).toBe(used);
    expect(await refusalText(config.deleteFarm({ name: "farms/web", write: reuse }))).toBe(used);
    expect(await refusalText(config.apply({ write: reuse }))).toBe(used);
    expect(await refusalText(config.revert({ write: reuse }))).toBe(used);
  }
  expect(running.plane.position.revision).toBe(1);
});

test("validate_only under the id of a command that was carried out gives its first answer", async () => {
  const first = await running.config.createFarm({ farm: { name: "farms/new" }, write });
  const dry = { ...write, validateOnly: true };
  expect(await running.config.createFarm({ farm: { name: "farms/new" }, write: dry })).toEqual(first);
});

test("validate_only and refusals leave the id free", async () => {
  const requestId = "free";
  await running.config.createFarm({ farm: { name: "farms/new" }, write: { requestId, validateOnly: true } });
  await refusalText(running.config.createFarm({ farm: { name: "farms/web" }, write: { requestId } }));
  const { revision } = await running.config.createFarm({ farm: { name: "farms/new" }, write: { requestId } });
  expect(revision).toBe(2n);
});

test("without an id each call is a command of its own", async () => {
  await running.config.deleteServer({ name: "farms/web/servers/a" });
  expect(await refusalText(running.config.deleteServer({ name: "farms/web/servers/a" }))).toContain("NOT_FOUND");
});
