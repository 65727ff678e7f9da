import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DirectiveResult, FeedState, TableDump } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { NodeSession } from "../controlplane/node-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { realControlPlane } from "./real-control-plane.ts";
import type { VerbRun } from "./run-verb.ts";
import { runVerb } from "./run-verb.ts";
import { VerbRig } from "./verb-rig.ts";

let rig: VerbRig;
let node: NodeSession;
beforeEach(async () => {
  rig = await VerbRig.start();
  node = await new NodeSession(rig.address).hello("edge-7", { region: "eu" }).welcomed();
});
afterEach(async () => {
  node.cancel();
  await rig.close();
});

const done: Omit<DirectiveResult, "id"> = { refused: "", table: undefined, explain: undefined };

describe("nodes", () => {
  const told: readonly (readonly [string, object, string])[] = [
    ["nodes drain edge-7", { $case: "drain" }, "nodes/edge-7 draining\n"],
    ["nodes undrain nodes/edge-7", { $case: "undrain" }, "nodes/edge-7 undrained\n"],
    ["nodes resync edge-7", { $case: "resync" }, "nodes/edge-7 resynced\n"],
    ["nodes log-level edge-7 debug", { $case: "setLogLevel", value: { level: "debug" } }, "nodes/edge-7 logs debug\n"],
  ];
  it.each(told)("%s is what the node is told", async (line, action, stdout) => {
    const run = rig.done(line);
    const directive = await node.directive();
    expect(directive.action).toMatchObject(action);
    node.answer({ ...done, id: directive.id });
    expect(await run).toBe(stdout);
  });

  it("table shows what the node routes by", async () => {
    const run = rig.run("nodes table edge-7 --listener edge --prefix a -n 2");
    const { id, action } = await node.directive();
    expect(action).toMatchObject({
      $case: "dumpTable",
      value: { listener: "listeners/edge", prefix: "a", limit: 2 },
    });
    const entries = [
      { listener: "listeners/edge", serverName: "a.test", route: "listeners/edge/routes/a" },
      { listener: "listeners/edge", serverName: "", route: "listeners/edge/routes/rest" },
    ];
    node.answer({ ...done, id, table: TableDump.fromPartial({ revision: 7n, entries, truncated: true }) });
    expect(await run).toEqual({
      code: 0,
      stdout:
        "LISTENER         SERVER NAME   ROUTE\n" +
        "listeners/edge   a.test        listeners/edge/routes/a\n" +
        "listeners/edge   (no name)     listeners/edge/routes/rest\n",
      stderr: "2 names at revision 7; there are more, --limit and --prefix choose\n",
    });
  });

  it("explain shows what the node itself would do", async () => {
    const run = rig.done("nodes explain edge-7 --sni a.test --listener edge");
    const { id, action } = await node.directive();
    expect(action).toMatchObject({ $case: "explain", value: { serverName: "a.test", listener: "listeners/edge" } });
    const explain = {
      revision: 7n,
      listener: "listeners/edge",
      route: "",
      outcome: "reject",
      farm: "",
      servers: [],
      alert: "unrecognized_name",
      steps: ["No route has it."],
    };
    node.answer({ ...done, id, explain });
    expect(await run).toContain("outcome    reject with unrecognized_name\n");
  });

  it("ends with code 1 and the node's own words where it refuses", async () => {
    const run = rig.run("nodes resync edge-7");
    const { id } = await node.directive();
    node.answer({ ...done, id, refused: "the log can't be reached" });
    expect(await run).toEqual({
      code: 1,
      stdout: "",
      stderr: "switchyard: nodes/edge-7 refused: the log can't be reached\n",
    });
  });

  const failing: readonly (readonly [string, number, RegExp])[] = [
    ["nodes drain nobody", 1, /^switchyard: refused: .*there is no "nodes\/nobody" \(NOT_FOUND\)/],
    ["nodes log-level edge-7 loud", 1, /one of trace, debug/],
    ["nodes drain a/b", 2, /^switchyard: a\/b is no node's id/],
    ["nodes drain", 2, /missing required argument 'id'/],
    ["nodes table edge-7 -n 0", 2, /1 to 10000/],
  ];
  it.each(failing)("%s ends with code %i", async (line, code, message) => {
    const run = await rig.run(line);
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(message);
    expect(node.answers.length).toBe(1);
  });
});

describe("status --watch", () => {
  const sound = { digest: new Uint8Array(32), feed: FeedState.FEED_STATE_FOLLOWING, ready: true };

  /** Watches until a line comes that matches, does what is given, and so on; then interrupts. */
  async function watching(
    steps: readonly (readonly [RegExp, () => unknown])[],
    terminal?: { readonly rows: number },
  ): Promise<VerbRun> {
    const stop = new AbortController();
    let seen = "";
    const options = {
      server: rig.address,
      signal: stop.signal,
      onOutput: (text: string) => void (seen = text),
      ...(terminal === undefined ? {} : { terminal }),
    };
    const run = runVerb(["status", "--watch"], options);
    for (const [wanted, act] of steps) {
      await waitFor(`${wanted.source} in ${seen}`, () => wanted.test(seen));
      await act();
    }
    stop.abort();
    return run;
  }

  it("writes a line for each change, and ends with code 0 when it is interrupted", async () => {
    const { code, stdout, stderr } = await watching([
      [/1 connected, 0 of them/, () => node.report({ ...sound, draining: true })],
      [/starting -> draining/, () => node.report({ ...sound, draining: true, connections: 3n })],
      [/draining/, () => node.cancel()],
      [/draining -> LOST/, () => undefined],
      [/; 1 LOST/, () => undefined],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.every((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \S/.test(line))).toBe(true);
    expect(lines.map((line) => line.slice(21)).filter((line) => line.startsWith("nodes/"))).toEqual([
      "nodes/edge-7 starting",
      "nodes/edge-7 starting -> draining",
      "nodes/edge-7 draining -> LOST",
    ]);
    expect(stdout).not.toContain("\u001B");
  });

  it("on a terminal draws the whole in place, as much as fits", async () => {
    const { code, stdout } = await watching(
      [
        [/starting/, () => node.report({ ...sound, degraded: [{ name: "listeners/edge", reason: "address_in_use" }] })],
        [/\.\.\.\n$/, () => undefined],
      ],
      { rows: 10 },
    );
    expect(code).toBe(0);
    const screens = stdout.split("\u001B[H\u001B[2J").slice(1);
    expect(screens[0]).toContain("control plane   127.0.0.1:");
    expect(screens[0]).toContain("nodes/edge-7   eu       starting");
    for (const screen of screens) expect(screen.trimEnd().split("\n").length).toBeLessThan(10);
  });

  it("goes on trying when the control plane goes away, and not when it was never there", async () => {
    const other = await realControlPlane();
    const stop = new AbortController();
    let seen = "";
    const options = { server: other.address, signal: stop.signal, onOutput: (text: string) => void (seen = text) };
    const run = runVerb(["status", "--watch"], options);
    await waitFor("the first line", () => seen.includes("none has reported"));
    await other.close();
    await waitFor("the loss", () => seen.includes("trying again"));
    stop.abort();
    expect((await run).code).toBe(0);
    expect((await runVerb(["status", "--watch"], { server: other.address })).code).toBe(3);
  });
});
