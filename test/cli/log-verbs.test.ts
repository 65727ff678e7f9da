import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { runVerb } from "./run-verb.ts";
import { shop } from "./shop-manifest.ts";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-log-verbs-"));
  rig = await VerbRig.start();
  await rig.done("apply -f -", { stdin: shop });
  for (const weight of [5, 6, 7])
    await rig.done(["apply", "-f", "-"], {
      stdin: `server: {name: farms/web/servers/a, address: "10.0.0.1:443", weight: ${weight}}`,
    });
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

const backup = () => join(folder, "backup.log");
const dataDir = (name: string) => join(folder, name);

async function commitsIn(directory: string) {
  const log = await SqliteEventLog.open({ path: join(directory, "log.sqlite") });
  try {
    return await log.read(0, 1000);
  } finally {
    await log.close();
  }
}

describe("log export", () => {
  it("writes a file that verifies, and that an import makes the same log of, under the next epoch", async () => {
    expect(await rig.run(["log", "export", "-o", backup()])).toMatchObject({ code: 0, stderr: "4 commits exported\n" });
    expect(await rig.done(["log", "verify", backup()])).toMatch(/^sound: 4 commits, epoch 1, hash [0-9a-f]{64}\n$/);
    const imported = await rig.done(["log", "import", backup(), "--data-dir", dataDir("new")]);
    expect(imported).toBe(`imported from ${backup()}: revision 5, epoch 2\n`);
    const again = join(folder, "again.log");
    await rig.done(["log", "export", "-o", again, "--data-dir", dataDir("new")]);
    const [before, after] = [readFileSync(backup()), readFileSync(again)];
    const commits = await commitsIn(dataDir("new"));
    const mark = openCommit(commits[4]!);
    expect(mark).toMatchObject({ commit: { epoch: 2, revision: 5, author: "switchyard", events: [] } });
    // Byte for byte, up to the end record of the one and the mark in the other.
    const shared = before.subarray(0, before.length - 50);
    expect(after.subarray(0, shared.length)).toEqual(shared);
  });

  it("leaves no file where it fails, and the old one as it was", async () => {
    writeFileSync(backup(), "the old one");
    const away = await runVerb(["log", "export", "-o", backup(), "--server", "127.0.0.1:1"]);
    expect(away.code).toBe(3);
    expect(readFileSync(backup(), "utf8")).toBe("the old one");
    expect(readdirSync(folder)).toEqual(["backup.log"]);
    const nowhere = await rig.run(["log", "export", "-o", join(folder, "no", "such")]);
    expect(nowhere).toMatchObject({ code: 1 });
    expect(nowhere.stderr).toContain("can't be written");
  });

  it("has nothing to take from a directory without a log", async () => {
    const { code, stderr } = await rig.run(["log", "export", "-o", backup(), "--data-dir", dataDir("none")]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no log.sqlite") });
  });
});

describe("log verify", () => {
  it("checks the control plane's log, and a data directory's", async () => {
    expect(await rig.done("log verify")).toMatch(/^sound: 4 commits/);
    await rig.done(["log", "export", "-o", backup()]);
    await rig.done(["log", "import", backup(), "--data-dir", dataDir("new")]);
    expect(await rig.done(["log", "verify", "--data-dir", dataDir("new")])).toMatch(/^sound: 5 commits, epoch 2/);
  });

  it("names the first bad commit of a damaged file, and import takes nothing from it on", async () => {
    await rig.done(["log", "export", "-o", backup()]);
    const file = readFileSync(backup());
    const second = (await commitsOf(file))[1]!;
    const at = file.indexOf(Buffer.from(second.hash)) - 20;
    file[at] = file[at]! ^ 1;
    writeFileSync(backup(), file);
    for (const words of [
      ["verify", backup()],
      ["import", backup(), "--data-dir", dataDir("new")],
    ]) {
      const { code, stderr } = await rig.run(["log", ...words]);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/commit 2 is bad: .*hash_mismatch/),
      });
    }
  });

  it.each([
    ["is cut off", (file: Buffer) => file.subarray(0, file.length - 10), "cut off"],
    ["is something else", () => Buffer.from("hello"), "no exported log"],
    ["is empty", () => Buffer.alloc(0), "no exported log"],
  ])("refuses a file that %s", async (_, damage, why) => {
    await rig.done(["log", "export", "-o", backup()]);
    writeFileSync(backup(), damage(readFileSync(backup())));
    const { code, stderr } = await rig.run(["log", "verify", backup()]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
  });
});

describe("log import", () => {
  it("leaves a log with another history as it is", async () => {
    await rig.done(["log", "export", "-o", backup()]);
    await rig.done(["log", "import", backup(), "--data-dir", dataDir("new")]);
    const { code, stderr } = await rig.run(["log", "import", backup(), "--data-dir", dataDir("new")]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("another history") });
    expect(await commitsIn(dataDir("new"))).toHaveLength(5);
  });
});

async function commitsOf(file: Uint8Array) {
  const { ExportReader } = await import("../../model/wire/log-export.ts");
  const records = new ExportReader().push(file);
  return records.flatMap((each) => (each.record === "commit" ? [each.commit] : []));
}
