import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { waitFor } from "../support/wait-for.ts";
import type { RealControlPlane } from "./real-control-plane.ts";
import { realControlPlane } from "./real-control-plane.ts";
import type { VerbOptions, VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";

const shop = `
farm: {name: farms/web, connectTimeout: 3s}
---
- server: {name: farms/web/servers/a, address: "10.0.0.1:443"}
- server: {name: farms/web/servers/b, address: "10.0.0.2:443", weight: 3, region: eu}
---
resources:
- listener: {name: listeners/edge, addresses: ["127.0.0.1:8443"]}
- route:
    name: listeners/edge/routes/shop
    match: {serverNames: [shop.example.com, "*.shop.example.com"], alpnProtocols: [h2]}
    action: {farm: farms/web}
- route:
    name: listeners/edge/routes/nobody
    match: {noServerName: true}
    action: {reject: {}}
`;

let controlPlane: RealControlPlane;
beforeEach(async () => {
  controlPlane = await realControlPlane();
});
afterEach(async () => {
  await controlPlane.close();
});

const run = (line: string, options: VerbOptions = {}): Promise<VerbRun> =>
  runVerb(line.split(" "), { server: controlPlane.address, ...options });

async function done(line: string, options: VerbOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(line, options);
  expect({ line, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

describe("apply", () => {
  it("shows the plan, commits it once, and does nothing the second time", async () => {
    const plan = [
      "+ farms/web",
      "+ farms/web/servers/a",
      "+ farms/web/servers/b",
      "+ listeners/edge",
      "+ listeners/edge/routes/shop",
      "+ listeners/edge/routes/nobody",
    ].join("\n");
    expect(await done("apply -f - --dry-run", { stdin: shop })).toBe(
      `${plan}\ndry run: 6 to create; still at revision 0\n`,
    );
    expect(await done("apply -f -", { stdin: shop })).toBe(`${plan}\n6 created; now at revision 1\n`);
    expect(await done("apply -f -", { stdin: shop })).toBe("nothing to change, 6 unchanged; still at revision 1\n");
  });

  it("names the fields that change as files have them", async () => {
    await done("apply -f -", { stdin: shop });
    const changed = shop.replace("3s", "4s").replace("*.shop", "*.store");
    expect(await done("apply -f -", { stdin: changed })).toBe(
      "~ farms/web   (connectTimeout)\n~ listeners/edge/routes/shop   (match.serverNames)\n" +
        "2 changed, 4 unchanged; now at revision 2\n",
    );
  });

  it("prunes what the files do not have, when told to", async () => {
    await done("apply -f -", { stdin: shop });
    const rest = "farm: {name: farms/web, connectTimeout: 3s}";
    expect(await done("apply -f -", { stdin: rest })).toBe("nothing to change, 1 unchanged; still at revision 1\n");
    expect(await done("apply -q --prune -f -", { stdin: rest })).toBe("5 deleted, 1 unchanged; now at revision 2\n");
  });

  it("says where in the files the control plane found fault, and changes nothing", async () => {
    const stdin = shop.replace("*.shop.example.com", "bad name").replace("10.0.0.1:443", "localhost:1");
    const { code, stdout, stderr } = await run("apply -f -", { stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^<stdin>:4:48: server\.address: "localhost:1" is no /),
      expect.stringMatching(/^<stdin>:11:45: route\.match\.serverNames\[1\]: "bad name" is no server name/),
      "switchyard: refused: 2 errors; nothing was changed (INVALID_FIELD)",
      "",
    ]);
    expect(await done("get all")).toBe("");
  });

  it("reads files and directories, and keeps who and why", async () => {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-manifest-"));
    try {
      writeFileSync(join(folder, "b.yml"), "farm: {name: farms/b}");
      writeFileSync(join(folder, "a.json"), '{"farm": {"name": "farms/a"}}');
      writeFileSync(join(folder, ".hidden.yaml"), "no: manifest");
      writeFileSync(join(folder, "notes.txt"), "no manifest");
      writeFileSync(join(folder, "c"), "farm: {name: farms/c}");
      const words = ["apply", "-f", folder, join(folder, "c"), "--author", "bob", "--reason", "why not"];
      const { stdout } = await runVerb(words, { server: controlPlane.address });
      expect(stdout).toBe("+ farms/a\n+ farms/b\n+ farms/c\n3 created; now at revision 1\n");
      expect(await done("history")).toBe(
        "REVISION   TIME                   AUTHOR   EVENTS   REASON\n1          2026-11-22 12:51:36Z   bob      3        why not\n",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("does nothing twice under one request id", async () => {
    const line = "apply -q -f - --request-id once";
    expect(await done(line, { stdin: shop })).toBe("6 created; now at revision 1\n");
    await done("delete listeners/edge/routes/shop");
    expect(await done(line, { stdin: shop })).toMatch(/ revision 1\n$/);
    expect(await done("get routes")).not.toContain("routes/shop");
  });
});

describe("get", () => {
  it.each(["yaml", "json"])("all as %s, applied again, changes nothing", async (form) => {
    await done("apply -f -", { stdin: shop });
    const stdin = await done(`get all -o ${form}`);
    expect(await done("apply -f -", { stdin })).toBe("nothing to change, 6 unchanged; still at revision 1\n");
    expect(await done("apply -f - --prune", { stdin })).toBe("nothing to change, 6 unchanged; still at revision 1\n");
  });

  it("shows defaults filled in, durations and enums as files have them, and no etag unless asked", async () => {
    await done("apply -f -", { stdin: shop });
    expect(parse(await done("get farm web -o yaml"))).toEqual({
      farm: {
        name: "farms/web",
        balance: "BALANCE_ROUND_ROBIN",
        connectTimeout: "3s",
        connectAttemptsMax: 3,
        serverIdleTimeout: "600s",
        halfCloseTimeout: "30s",
      },
    });
    expect(parse(await done("get farm web -o yaml --etag"))).toHaveProperty("farm.etag");
  });

  it("puts what is inside of a resource after it", async () => {
    await done("apply -f -", { stdin: `${shop}\n- farm: {name: farms/web-2}\n- farm: {name: farms/a}` });
    const documents = parseAllDocuments(await done("get all -o yaml"));
    const names = documents.flatMap((document) => Object.values(document.toJS() as object) as { name: string }[]);
    expect(names.map(({ name }) => name)).toEqual([
      "farms/a",
      "farms/web",
      "farms/web/servers/a",
      "farms/web/servers/b",
      "farms/web-2",
      "listeners/edge",
      "listeners/edge/routes/nobody",
      "listeners/edge/routes/shop",
    ]);
  });

  it("prints tables with a row for each", async () => {
    await done("apply -f -", { stdin: shop });
    expect(await done("get servers --parent web")).toBe(
      "NAME                  ADDRESS        WEIGHT   STATE   BACKUP   REGION\n" +
        "farms/web/servers/a   10.0.0.1:443   1        ready   -        -\n" +
        "farms/web/servers/b   10.0.0.2:443   3        ready   -        eu\n",
    );
    expect(await done("get routes")).toBe(
      "NAME                           SERVER NAMES                          ALPN   SOURCES   ACTION\n" +
        "listeners/edge/routes/nobody   (no name)                             -      -         reject access_denied\n" +
        "listeners/edge/routes/shop     shop.example.com,*.shop.example.com   h2     -         farms/web\n",
    );
    expect(await done("get farms farms/web")).toBe(
      "NAME        BALANCE       CONNECT   ATTEMPTS   IDLE   HALF-CLOSE\n" +
        "farms/web   round_robin   3s        3          10m    30s\n",
    );
    expect(await done("get all")).toMatch(
      /^NAME +ADDRESSES[^]*\n\nNAME +SERVER NAMES[^]*\n\nNAME +BALANCE[^]*\n\nNAME +ADDRESS /,
    );
  });

  it("follows the pages to the last", async () => {
    const farms = Array.from({ length: 2345 }, (_, index) => `- farm: {name: farms/f${index}}`).join("\n");
    await done("apply -q -f -", { stdin: farms });
    expect((await done("get farms")).split("\n")).toHaveLength(2345 + 2);
  });

  it("says what is not there, with code 1", async () => {
    expect(await run("get farms/nope")).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: refused: there is no farms/nope (NOT_FOUND)\n",
    });
  });
});

describe("delete", () => {
  it("says why it may not, and with --force takes what is inside along", async () => {
    await done("apply -f -", { stdin: shop });
    await done("delete routes edge/shop");
    const { code, stderr } = await run("delete farm web");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchyard: refused: farms\/web still has farms\/web\/servers\/a/);
    expect(await done("delete farm web --force")).toBe("deleted farms/web; now at revision 3\n");
    expect((await run("get servers")).stderr).toBe("no servers\n");
  });

  it("stops at the first that is refused", async () => {
    await done("apply -f -", { stdin: "- farm: {name: farms/a}\n- farm: {name: farms/c}" });
    const { code, stdout } = await run("delete farms a b c");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "deleted farms/a; now at revision 2\n" });
    expect(await done("get farms")).toContain("farms/c");
  });

  it("changes nothing in a dry run", async () => {
    await done("apply -f -", { stdin: shop });
    expect(await done("delete farms/web/servers/a --dry-run")).toBe(
      "dry run: farms/web/servers/a can be deleted; still at revision 1\n",
    );
    expect(await done("get servers")).toContain("servers/a");
  });
});

describe("history", () => {
  const names = ["a", "b", "c"];
  beforeEach(async () => {
    for (const name of names) await done(`apply -f - --reason ${name}`, { stdin: `farm: {name: farms/${name}}` });
  });
  const reasons = (table: string): readonly (string | undefined)[] =>
    table
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ {2,}/).at(-1));

  it("lists the newest first, as many as asked for", async () => {
    expect(reasons(await done("history"))).toEqual(["c", "b", "a"]);
    expect(reasons(await done("history -n 2"))).toEqual(["c", "b"]);
  });

  it("prints one JSON object a line", async () => {
    const lines = (await done("history -o json")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { revision: "3", author: "alice", reason: "c", time: "2026-11-22T12:51:36Z", eventCount: 1 },
      { revision: "2" },
      { revision: "1" },
    ]);
  });

  it.each(["table", "json"])(
    "follows from where the list ends, each commit once, until it is stopped (%s)",
    async (form) => {
      const stop = new AbortController();
      let seen = "";
      const following = run(`history --follow -n 2 -o ${form}`, {
        signal: stop.signal,
        onOutput: (text) => {
          seen = text;
        },
      });
      await waitFor("the listed commits", () => seen.includes("c"));
      await done("apply -f - --reason d", { stdin: "farm: {name: farms/d}" });
      await done("delete farms/d --reason e");
      await waitFor("the new commits", () => /\be"?\}?\n$|"reason":"e"/.test(seen));
      stop.abort();
      const { code, stdout, stderr } = await following;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const rows =
        form === "json"
          ? stdout
              .trimEnd()
              .split("\n")
              .map((line) => (JSON.parse(line) as { reason: string }).reason)
          : reasons(stdout);
      expect(rows).toEqual(["b", "c", "d", "e"]);
    },
  );
});

describe("show, diff and revert", () => {
  beforeEach(async () => {
    await done("apply -f -", { stdin: shop });
    const changed = shop.replace("3s", "4s").replace('"*.shop.example.com"', "store.example.com");
    await done("apply -f - --reason slower", { stdin: changed });
    await done("delete listeners/edge/routes/nobody");
  });
  const change = [
    "~ farms/web",
    "-     connectTimeout: 3s",
    "+     connectTimeout: 4s",
    "~ listeners/edge/routes/shop",
    "      match:",
    "        serverNames:",
    '-         - "*.shop.example.com"',
    "+         - store.example.com",
    "",
  ].join("\n");
  const removal = [
    "- listeners/edge/routes/nobody",
    "-     match:",
    "-       noServerName: true",
    "-     action:",
    "-       reject:",
    "-         alert: ALERT_ACCESS_DENIED",
    "",
  ].join("\n");

  it("a commit is shown with what each event changed, and what a deletion took", async () => {
    const shown = await done("show 2");
    expect(shown).toMatch(/^revision {3}2\nauthor {5}alice\ntime {7}2026-11-22 12:51:36Z\nreason {5}slower\n/);
    expect(shown.slice(shown.indexOf("\n\n") + 2)).toBe(change);
    const last = await done("show head");
    expect(last.slice(last.indexOf("\n\n") + 2)).toBe(removal);
  });

  it("two revisions differ with code 4, in either direction", async () => {
    expect(await run("diff 1 2")).toEqual({ code: 4, stdout: change, stderr: "2 changed from revision 1 to 2\n" });
    const forward = await run("diff 1 head");
    expect(forward).toMatchObject({ code: 4, stderr: "2 changed, 1 removed from revision 1 to 3\n" });
    const back = await run("diff head 1");
    expect(back).toMatchObject({ code: 4, stderr: "1 added, 2 changed from revision 3 to 1\n" });
    expect(back.stdout).toContain("-     connectTimeout: 4s\n+     connectTimeout: 3s\n");
  });

  it("a revision does not differ from itself, nor from what was reverted to it, with code 0", async () => {
    expect(await run("diff 2 2")).toEqual({ code: 0, stdout: "", stderr: "no difference from revision 2 to 2\n" });
    expect(await done("revert 1 --dry-run")).toMatch(/dry run: 1 to create, 2 to change; still at revision 3\n$/);
    expect(await done("revert 1 -q")).toBe("1 created, 2 changed; now at revision 4\n");
    expect((await run("diff 1 4")).code).toBe(0);
  });

  it("revision 0 is the empty configuration", async () => {
    expect(await run("diff 0 1")).toMatchObject({ code: 4, stderr: "6 added from revision 0 to 1\n" });
    expect(await done("revert 0 -q")).toMatch(/^5 deleted; now at revision 4\n$/);
  });

  it("colours are for terminals only", async () => {
    expect((await run("diff 1 2", { colour: true })).stdout).toContain("\u001B[31m-     connectTimeout: 3s\u001B[0m\n");
    expect((await run("diff 1 2")).stdout).not.toContain("\u001B");
  });

  it("a revision that the log has not is refused", async () => {
    for (const line of ["show 9", "diff 1 9", "revert 9"]) {
      const { code, stdout, stderr } = await run(line);
      expect({ line, code, stdout }).toEqual({ line, code: 1, stdout: "" });
      expect(stderr).toMatch(/^switchyard: refused: .*revision 9.*\(NOT_FOUND\)\n$/);
    }
  });
});

describe("explain and status", () => {
  it("says where a hello goes, with the share of each server", async () => {
    await done("apply -f -", { stdin: shop });
    const shown = await done("explain --sni SHOP.example.com --alpn http/1.1 --alpn h2 --source 10.1.1.1");
    expect(shown).toContain("hello      SHOP.example.com; offers http/1.1, h2; from 10.1.1.1\n");
    expect(shown).toContain("route      listeners/edge/routes/shop\noutcome    farm farms/web\nrevision   1\n");
    expect(shown).toContain("farms/web/servers/b   10.0.0.2:443   yes        ready    75%\n");
    expect(shown).toMatch(/\n1\. .*\n2\. /);
    expect(await done("explain --listener edge")).toContain("outcome    reject with access_denied\n");
    expect(JSON.parse(await done("explain -o json"))).toMatchObject({ route: "listeners/edge/routes/nobody" });
  });

  it("says what the control plane stands at, before the first commit too", async () => {
    expect(await done("status")).toBe(
      `control plane   ${controlPlane.address}, reachable\n` +
        "revision        0: nothing has been committed yet\nnodes           none has reported\n",
    );
    await done("apply -f - --reason first", { stdin: shop });
    expect(await done("status")).toContain("revision        1, by alice, 2026-11-22 12:51:36Z: first\n");
  });
});
