import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runVerb } from "./run-verb.ts";
import { shop } from "./shop-manifest.ts";
import { VerbRig } from "./verb-rig.ts";

let folder: string;
let nats: NatsServer;
let backup: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-log-to-nats-"));
  backup = join(folder, "backup.log");
  nats = await startNatsServer();
  const rig = await VerbRig.start();
  await rig.done("apply -f -", { stdin: shop });
  await rig.done(["apply", "-f", "-"], { stdin: `farm: {name: farms/other}` });
  await rig.done(["log", "export", "-o", backup]);
  await rig.close();
});
afterEach(async () => {
  await nats.dispose();
  rmSync(folder, { recursive: true });
});

const directory = (name: string) => join(folder, name);
const toNats = (name: string) => ["--data-dir", directory(name), "--nats", nats.url];

async function done(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runVerb(words);
  expect({ words, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

describe("a fleet whose streams and replicas are gone", () => {
  it("is brought back from an export, and another import leaves it as it is", async () => {
    const imported = await done(["log", "import", backup, ...toNats("cp-1")]);
    // Once for the import, and once as a replica rebuilds a stream that has nothing.
    expect(imported).toContain("imported from");
    expect(imported).toMatch(/the log is on NATS: revision 4, epoch 3\n$/);
    expect(await done(["log", "verify", "--data-dir", directory("cp-1")])).toMatch(/^sound: 4 commits, epoch 3/);
    const again = await runVerb(["log", "import", backup, ...toNats("cp-2")]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("SWITCHYARD_LOG has 4 commits already") });
  });
});

describe("the log of one machine", () => {
  it("moves to NATS whole, once", async () => {
    await done(["log", "import", backup, "--data-dir", directory("cp-1")]);
    const move = ["log", "move", "--from", "sqlite", "--to", "nats", ...toNats("cp-1")];
    expect(await done(move)).toMatch(/the log is on NATS: revision 4, epoch 3\n$/);
    expect(await runVerb(move)).toMatchObject({ code: 1, stderr: expect.stringContaining("already") });
    const exported = join(folder, "moved.log");
    await done(["log", "export", "-o", exported, "--data-dir", directory("cp-1")]);
    const before = readFileSync(backup);
    // Up to the end record, the moved log begins with the same bytes.
    expect(readFileSync(exported).subarray(0, before.length - 50)).toEqual(before.subarray(0, before.length - 50));
  });

  it.each([
    ["no such directory", () => ["--data-dir", directory("none"), "--nats", nats.url], 2, "there is no log.sqlite"],
    ["a server that is not there", () => ["--data-dir", directory("cp-1"), "--nats", "nats://127.0.0.1:1"], 3, "NATS"],
    ["a namespace that can't be one", () => [...toNats("cp-1"), "--namespace", "A b"], 2, "namespace"],
  ])("stays where it is with %s", async (_, words, code, why) => {
    await done(["log", "import", backup, "--data-dir", directory("cp-1")]);
    const run = await runVerb(["log", "move", "--from", "sqlite", "--to", "nats", ...words()]);
    expect(run).toMatchObject({ code, stderr: expect.stringContaining(why) });
    expect(await done(["log", "verify", "--data-dir", directory("cp-1")])).toMatch(/^sound: 3 commits, epoch 2/);
  });
});
