import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { shop } from "./shop-manifest.ts";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
beforeEach(async () => {
  rig = await VerbRig.start();
});
afterEach(async () => {
  await rig.close();
});

describe("history", () => {
  const names = ["a", "b", "c"];
  beforeEach(async () => {
    for (const name of names) await rig.done(`apply -f - --reason ${name}`, { stdin: `farm: {name: farms/${name}}` });
  });
  const reasons = (table: string): readonly (string | undefined)[] =>
    table
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ {2,}/).at(-1));

  it("lists the newest first, as many as asked for", async () => {
    expect(reasons(await rig.done("history"))).toEqual(["c", "b", "a"]);
    expect(reasons(await rig.done("history -n 2"))).toEqual(["c", "b"]);
  });

  it("prints one JSON object a line", async () => {
    const lines = (await rig.done("history -o json")).trimEnd().split("\n");
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
      const following = rig.run(`history --follow -n 2 -o ${form}`, {
        signal: stop.signal,
        onOutput: (text) => {
          seen = text;
        },
      });
      await waitFor("the listed commits", () => seen.includes("c"));
      await rig.done("apply -f - --reason d", { stdin: "farm: {name: farms/d}" });
      await rig.done("delete farms/d --reason e");
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
    await rig.done("apply -f -", { stdin: shop });
    const changed = shop.replace("3s", "4s").replace('"*.shop.example.com"', "store.example.com");
    await rig.done("apply -f - --reason slower", { stdin: changed });
    await rig.done("delete listeners/edge/routes/nobody");
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
    const shown = await rig.done("show 2");
    expect(shown).toMatch(/^revision {3}2\nauthor {5}alice\ntime {7}2026-11-22 12:51:36Z\nreason {5}slower\n/);
    expect(shown.slice(shown.indexOf("\n\n") + 2)).toBe(change);
    const last = await rig.done("show head");
    expect(last.slice(last.indexOf("\n\n") + 2)).toBe(removal);
  });

  it("a field of a farm's policy is shown alone, without the defaults around it", async () => {
    await rig.done("apply -f -", { stdin: "farm: {name: farms/web, panicThreshold: 30}" });
    const shown = await rig.done("show head");
    expect(shown).toContain("+     panicThreshold: 30\n");
    expect(shown).not.toMatch(/affinity|queue|slowStart/);
  });

  it("two revisions differ with code 4, in either direction", async () => {
    expect(await rig.run("diff 1 2")).toEqual({ code: 4, stdout: change, stderr: "2 changed from revision 1 to 2\n" });
    const forward = await rig.run("diff 1 head");
    expect(forward).toMatchObject({ code: 4, stderr: "2 changed, 1 removed from revision 1 to 3\n" });
    const back = await rig.run("diff head 1");
    expect(back).toMatchObject({ code: 4, stderr: "1 added, 2 changed from revision 3 to 1\n" });
    expect(back.stdout).toContain("-     connectTimeout: 4s\n+     connectTimeout: 3s\n");
  });

  it("a revision does not differ from itself, nor from what was reverted to it, with code 0", async () => {
    expect(await rig.run("diff 2 2")).toEqual({ code: 0, stdout: "", stderr: "no difference from revision 2 to 2\n" });
    expect(await rig.done("revert 1 --dry-run")).toMatch(/dry run: 1 to create, 2 to change; still at revision 3\n$/);
    expect(await rig.done("revert 1 -q")).toBe("1 created, 2 changed; now at revision 4\n");
    expect((await rig.run("diff 1 4")).code).toBe(0);
  });

  it("revision 0 is the empty configuration", async () => {
    expect(await rig.run("diff 0 1")).toMatchObject({ code: 4, stderr: "6 added from revision 0 to 1\n" });
    expect(await rig.done("revert 0 -q")).toMatch(/^5 deleted; now at revision 4\n$/);
  });

  it("colours are for terminals only", async () => {
    expect((await rig.run("diff 1 2", { colour: true })).stdout).toContain(
      "\u001B[31m-     connectTimeout: 3s\u001B[0m\n",
    );
    expect((await rig.run("diff 1 2")).stdout).not.toContain("\u001B");
  });

  it("a revision that the log has not is refused", async () => {
    for (const line of ["show 9", "diff 1 9", "revert 9"]) {
      const { code, stdout, stderr } = await rig.run(line);
      expect({ line, code, stdout }).toEqual({ line, code: 1, stdout: "" });
      expect(stderr).toMatch(/^switchyard: refused: .*revision 9.*\(NOT_FOUND\)\n$/);
    }
  });
});

describe("explain and status", () => {
  it("says where a hello goes, with the share of each server", async () => {
    await rig.done("apply -f -", { stdin: shop });
    const shown = await rig.done("explain --sni SHOP.example.com --alpn http/1.1 --alpn h2 --source 10.1.1.1");
    expect(shown).toContain("hello      SHOP.example.com; offers http/1.1, h2; from 10.1.1.1\n");
    expect(shown).toContain("route      listeners/edge/routes/shop\noutcome    farm farms/web\nrevision   1\n");
    expect(shown).toContain("farms/web/servers/b   10.0.0.2:443   yes        ready    75%\n");
    expect(shown).toMatch(/\n1\. .*\n2\. /);
    expect(await rig.done("explain --listener edge")).toContain("outcome    reject with access_denied\n");
    expect(JSON.parse(await rig.done("explain -o json"))).toMatchObject({ route: "listeners/edge/routes/nobody" });
  });

  it("says what the control plane stands at, before the first commit too", async () => {
    expect(await rig.done("status")).toBe(
      `control plane   ${rig.address}, reachable\n` +
        "revision        0: nothing has been committed yet\nnodes           none has reported\n",
    );
    await rig.done("apply -f - --reason first", { stdin: shop });
    expect(await rig.done("status")).toContain("revision        1, by alice, 2026-11-22 12:51:36Z: first\n");
  });
});
