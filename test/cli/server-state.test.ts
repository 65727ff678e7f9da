import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitCode } from "../../cli/exit-code.ts";
import { Server } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { FeedState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { NodeSession } from "../controlplane/node-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { answering, fakeControlPlane, refusal } from "./fake-control-plane.ts";
import { runVerb, type VerbOptions, type VerbRun } from "./run-verb.ts";
import { shop } from "./shop-manifest.ts";
import { VerbRig } from "./verb-rig.ts";

const name = "farms/web/servers/a";

let rig: VerbRig;
let sessions: NodeSession[];
beforeEach(async () => {
  let nowMs = Date.parse("2026-11-22T12:51:36Z");
  rig = await VerbRig.start(() => (nowMs += 1));
  sessions = [];
  await rig.done("apply -f -", { stdin: shop });
});
afterEach(async () => {
  for (const session of sessions) session.cancel();
  await rig.close();
});

/** A node that is at a revision, and has so many connections to the server. */
class CountingNode {
  readonly #session: NodeSession;

  private constructor(session: NodeSession) {
    this.#session = session;
  }

  static async connect(id: string, region: string): Promise<CountingNode> {
    const session = new NodeSession(rig.address);
    sessions.push(session);
    await session.hello(id, { region }).welcomed();
    return new CountingNode(session);
  }

  tell(revision: number, connections: number): void {
    this.#session.report({
      revision: BigInt(revision),
      digest: new Uint8Array(32),
      feed: FeedState.FEED_STATE_FOLLOWING,
      ready: true,
      serverConnections: [{ server: name, connections: BigInt(connections) }],
    });
  }
}

/** A verb that goes on for a while, and what it has printed so far. */
class RunningVerb {
  readonly run: Promise<VerbRun>;
  output = "";
  readonly #stop = new AbortController();

  constructor(line: string, options: VerbOptions = {}) {
    this.run = rig.run(line, {
      ...options,
      signal: this.#stop.signal,
      onOutput: (text) => {
        this.output = text;
      },
    });
  }

  printed(text: string): Promise<boolean> {
    return waitFor(text, () => this.output.includes(text));
  }

  interrupt(): void {
    this.#stop.abort();
  }
}

const stateOf = async (): Promise<string> => (await rig.done(`get ${name} -o yaml`)).match(/state: (.*)/)?.[1] ?? "";

describe("drain, ready and maintenance", () => {
  it.each([
    ["drain", "SERVER_STATE_DRAIN"],
    ["maintenance", "SERVER_STATE_MAINTENANCE"],
  ])("%s changes the state and nothing else, with who and why; ready takes it back", async (verb, state) => {
    await rig.done("apply -f -", { stdin: `server: {name: ${name}, address: "10.0.0.1:443", weight: 7}` });
    expect(await rig.done([verb, "web/a", "--reason", "a new disk"])).toBe(
      `${name}: ready -> ${verb}; now at revision 3\n`,
    );
    expect(await stateOf()).toBe(state);
    expect(await rig.done(`get ${name} -o yaml`)).toContain("weight: 7");
    expect(await rig.done("history -n 1")).toMatch(/alice +.*a new disk/);
    expect(await rig.done([verb, name])).toBe(`${name} is in ${verb} already\n`);
    expect(await rig.done("ready web/a")).toBe(`${name}: ${verb} -> ready; now at revision 4\n`);
    expect(await stateOf()).toBe("SERVER_STATE_READY");
  });

  it("a dry run changes nothing", async () => {
    expect(await rig.done("drain web/a --dry-run")).toBe(`dry run: ${name}: ready -> drain; still at revision 1\n`);
    expect(await stateOf()).toBe("SERVER_STATE_READY");
  });

  it("a server that is not there is refused", async () => {
    expect(await rig.run("drain web/none")).toMatchObject({
      code: exitCode.failed,
      stderr: "switchyard: refused: there is no farms/web/servers/none (NOT_FOUND)\n",
    });
  });

  it("what somebody else changed meanwhile refuses it", async () => {
    const fake = await fakeControlPlane({
      getServer: answering(() => ({ server: Server.fromPartial({ name, state: 1, etag: "seen" }) })),
      updateServer: answering(({ server, updateMask }) => {
        expect({ etag: server?.etag, updateMask }).toEqual({ etag: "seen", updateMask: ["state"] });
        throw refusal(status.ABORTED, "it has changed", { reason: "ETAG_MISMATCH" });
      }),
    });
    const { code, stderr } = await runVerb(["drain", "web/a"], { server: fake.address });
    fake.close();
    expect({ code, stderr }).toEqual({ code: 1, stderr: "switchyard: refused: it has changed (ETAG_MISMATCH)\n" });
  });
});

describe("--wait", () => {
  it("shows a line for each change, and ends when no connected node has a connection in two reports", async () => {
    const [one, two] = [await CountingNode.connect("one", "eu"), await CountingNode.connect("two", "us")];
    one.tell(1, 3);
    two.tell(1, 2);
    const verb = new RunningVerb("drain web/a --wait");
    await verb.printed("5 connections left (eu 3, us 2); 2 of 2 nodes are not at revision 2 yet: one, two\n");
    one.tell(2, 3);
    two.tell(2, 2);
    await verb.printed("5 connections left (eu 3, us 2)\n");
    two.tell(2, 0);
    await verb.printed("\n3 connections left\n");
    one.tell(2, 0);
    await verb.printed("no connections left; waiting for one more report\n");
    one.tell(2, 0);
    two.tell(2, 0);
    expect(await verb.run).toMatchObject({ code: exitCode.ok, stderr: "" });
    expect(verb.output).toMatch(/^farms\/web\/servers\/a: ready -> drain; now at revision 2\n/);
    expect(verb.output).toMatch(/more report\nno connections left\n$/);
  });

  it("waits for a server that is in its state already, and says which nodes it did not hear", async () => {
    const gone = await CountingNode.connect("gone", "eu");
    gone.tell(1, 9);
    const one = await CountingNode.connect("one", "eu");
    sessions[0]?.finish();
    await sessions[0]?.ended();
    await rig.done("maintenance web/a");
    one.tell(2, 0);
    const verb = new RunningVerb("maintenance web/a --wait");
    await verb.printed("waiting for one more report");
    one.tell(2, 0);
    expect(await verb.run).toMatchObject({ code: exitCode.ok, stderr: "not connected, and not counted: gone\n" });
  });

  it("ends with a code of its own when the time is over, and the server stays as it is", async () => {
    const one = await CountingNode.connect("one", "eu");
    one.tell(2, 1);
    const { code, stderr } = await rig.run("drain web/a --wait --timeout 1s");
    expect({ code, stderr }).toEqual({
      code: exitCode.connectionsLeft,
      stderr:
        "switchyard: after 1s: 1 connection left\n" +
        `  ${name} stays in drain: \`switchyard ready web/a\` takes it back\n` +
        "  clients whose TLS sessions it has may still come; `switchyard maintenance web/a` refuses them too\n",
    });
    expect(await stateOf()).toBe("SERVER_STATE_DRAIN");
  });

  it("interrupted, leaves the server as it is, and says so", async () => {
    const one = await CountingNode.connect("one", "eu");
    one.tell(2, 4);
    const verb = new RunningVerb("drain web/a --wait");
    await verb.printed("4 connections left");
    verb.interrupt();
    expect(await verb.run).toMatchObject({
      code: exitCode.interrupted,
      stderr:
        "switchyard: interrupted: 4 connections left\n" +
        `  ${name} stays in drain: \`switchyard ready web/a\` takes it back\n`,
    });
    expect(await stateOf()).toBe("SERVER_STATE_DRAIN");
  });

  it("does not take a fleet that it has not heard of for one without connections", async () => {
    const verb = new RunningVerb("drain web/a --wait");
    await verb.printed("no node is connected: nothing is known of connections\n");
    verb.interrupt();
    expect((await verb.run).code).toBe(exitCode.interrupted);
  });

  it("ends where somebody takes the server back, or deletes it", async () => {
    const one = await CountingNode.connect("one", "eu");
    one.tell(2, 4);
    const verb = new RunningVerb("drain web/a --wait");
    await verb.printed("4 connections left");
    await rig.done("ready web/a");
    expect(await verb.run).toMatchObject({ code: exitCode.failed, stderr: `switchyard: ${name} is in ready now\n` });
    const other = new RunningVerb("drain web/a --wait");
    await other.printed("4 connections left");
    await rig.done(`delete ${name}`);
    expect(await other.run).toMatchObject({ code: 1, stderr: `switchyard: there is no ${name} any more\n` });
  });

  it("on a terminal writes over its own line", async () => {
    const one = await CountingNode.connect("one", "eu");
    one.tell(2, 4);
    const verb = new RunningVerb("drain web/a --wait", { terminal: { rows: 24 } });
    await verb.printed("\r4 connections left\u001B[K");
    one.tell(2, 0);
    await verb.printed("\rno connections left; waiting for one more report\u001B[K");
    one.tell(2, 0);
    const { code, stdout } = await verb.run;
    expect(code).toBe(exitCode.ok);
    expect(stdout).toMatch(/\rno connections left\u001B\[K\n$/);
  });
});
