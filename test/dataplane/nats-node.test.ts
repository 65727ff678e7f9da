import { setImmediate } from "node:timers/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ConfigEvent } from "../../model/event.ts";
import { sealCommit } from "../../model/wire/commit.ts";
import { RunningSwitchyard } from "../e2e/running-switchyard.ts";
import { TestFleet, type TestReplica } from "../nats/fleet-log.ts";
import { written } from "../support/arbitrary-resource.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePort } from "../support/free-port.ts";
import { farm, listener, route, server } from "./node-rig.ts";
import { whoAnswers } from "./tls-client.ts";

let stateDir: string;
let nats: NatsServer;
let fleet: TestFleet;
let replica: TestReplica;
let web: TlsTestServer;
let port: number;
const nodes: RunningSwitchyard[] = [];

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "switchyard-nats-node-"));
  nats = await startNatsServer();
  fleet = new TestFleet();
  replica = await fleet.replica(nats.url, "cp-1");
  web = await TlsTestServer.listen("web-a");
  port = await freePort();
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.end("SIGKILL");
  await web.close();
  await fleet.dispose();
  await nats.dispose();
  rmSync(stateDir, { recursive: true });
});

/** Appends one commit, as a control plane does. */
async function commit(...resources: readonly object[]): Promise<void> {
  const { epoch, revision, hash } = await replica.log.head();
  const events = resources.map((each): ConfigEvent => ({ type: "created", resource: written(each) }));
  const requestId = `r${revision + 1}`;
  const by = { requestId, requestDigest: new Uint8Array(32), author: "test", reason: "", timeMs: 1 };
  const sealed = sealCommit({ epoch, revision: revision + 1, parentHash: hash, ...by, events });
  const key = { revision: revision + 1, epoch, parentHash: hash, requestId };
  for (;;) {
    // Until the replica is connected again, it says that the log is unavailable.
    const answer = await replica.log.append(sealed, key).catch(() => undefined);
    if (answer === undefined) await setImmediate();
    else return expect(answer.outcome).toBe("appended");
  }
}

async function started(): Promise<RunningSwitchyard> {
  const words = ["node", "--id", "n.1", "--nats", nats.url, "--state-dir", stateDir, "--http-address", "127.0.0.1:0"];
  const process = new RunningSwitchyard(words);
  nodes.push(process);
  await process.printed(/at revision \d+: http port (\d+)/);
  return process;
}

async function routed(name: string): Promise<void> {
  let answer = "";
  await waitFor(`an answer for ${name}`, () => {
    void whoAnswers(port, name).then((who) => {
      answer = who;
    });
    return answer === "web-a";
  });
}

it("a node with NATS alone follows the log, says that it reports to nobody, and comes back without NATS", async () => {
  await commit(farm("web"), server("web", "a", web.address), listener("edge", [port]));
  await commit(route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }));
  const first = await started();
  expect(first.stderr).toContain("reports to nobody");
  await routed("web.test");
  await commit(route("edge", "too", { serverNames: ["too.test"] }, { farm: "farms/web" }));
  await routed("too.test");
  await nats.kill();
  expect(await whoAnswers(port, "web.test")).toBe("web-a");
  await first.end("SIGTERM");
  const second = await started();
  expect(second.stdout).toContain("at revision 3");
  expect(await whoAnswers(port, "too.test")).toBe("web-a");
  await nats.start();
  await commit(route("edge", "new", { serverNames: ["new.test"] }, { farm: "farms/web" }));
  await routed("new.test");
});

it.each([
  [["--nats", "http://a"], "is no nats:// or tls:// URL"],
  [["--nats", "nats://a", "--namespace", "A b"], "namespace"],
  [[], "a node needs --nats or --control"],
])("%j is wrong, and told before anything runs", async (words, message) => {
  const node = new RunningSwitchyard(["node", "--http-address", "127.0.0.1:0", ...words]);
  nodes.push(node);
  expect(await node.ended()).toBe(2);
  expect(node.stderr).toContain(message);
});
