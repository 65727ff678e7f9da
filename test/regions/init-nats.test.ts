import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNats } from "../../controlplane/nats/connect.ts";
import { type DeployedServer, startDeployed } from "./deployed-server.ts";
import { runInit } from "./init-verb.ts";

let server: DeployedServer;

beforeAll(async () => {
  server = await startDeployed("single.conf");
});

afterAll(async () => {
  await server.dispose();
});

describe("init nats", () => {
  it("makes the streams, says so, and changes nothing the second time", async () => {
    const streams = ["SWITCHYARD_LOG", "SWITCHYARD_BLOBS", "SWITCHYARD_SNAPSHOTS", "SWITCHYARD_LEASE"];
    const first = await runInit("--nats", server.controlUrl);
    expect(first).toMatchObject({ code: 0, stdout: streams.map((each) => `made       ${each}\n`).join("") });
    expect(first.stderr).toMatch(/^(?:warning: nats-server 2\.9\.\d+ can't sync before it acknowledges.*\n)?$/);
    const second = await runInit("--nats", server.controlUrl);
    expect(second).toMatchObject({ code: 0, stdout: streams.map((each) => `unchanged  ${each}\n`).join("") });
  });

  it("says which setting it changed", async () => {
    const made = await runInit("--nats", server.controlUrl, "--namespace", "another");
    expect(made.stdout).toContain("made       ANOTHER_LOG");
    const connection = await connectNats({ servers: server.controlUrl, name: "test" });
    const manager = await connection.jetstreamManager();
    const { config } = await manager.streams.info("ANOTHER_LOG");
    await manager.streams.update("ANOTHER_LOG", { ...config, duplicate_window: 1e9 });
    await connection.close();
    const changed = await runInit("--nats", server.controlUrl, "--namespace", "another");
    expect(changed).toMatchObject({ code: 0 });
    expect(changed.stdout).toContain("changed    ANOTHER_LOG: duplicate_window\n");
  });

  const urlOf: Record<string, () => string> = {
    server: () => server.controlUrl,
    node: () => server.nodeUrl,
    nobody: () => "nats://127.0.0.1:1",
    stranger: () => server.controlUrl.replace("control@", "wrong@"),
  };

  it.each([
    ["a URL that is none", ["--nats", "http://a"], 2, "no nats:// or tls:// URL"],
    ["a namespace that is none", ["--nats", "server", "--namespace", "A"], 2, "the namespace"],
    ["a number of replicas that is none", ["--nats", "server", "--replicas", "2"], 2, "1, 3 or 5"],
    ["a region without a hub", ["--nats", "server", "--region", "eu"], 2, "go together"],
    ["a hub without a region", ["--nats", "server", "--hub-domain", "hub"], 2, "go together"],
    ["no server", ["--nats", "nobody"], 3, "NATS can't be reached"],
    ["a wrong password", ["--nats", "stranger"], 3, "refuses us"],
    ["more replicas than servers", ["--nats", "server", "--namespace", "three", "--replicas", "3"], 1, "replicas"],
    ["a region on a server that is none's", ["--nats", "server", "--region", "eu", "--hub-domain", "hub"], 1, "domain"],
    ["a user who may not", ["--nats", "node", "--namespace", "mine"], 1, "switchyard: "],
  ])("refuses %s", async (_what, words, code, text) => {
    const run = await runInit(...words.map((word) => urlOf[word]?.() ?? word));
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toContain(text);
    expect(run.stderr).not.toContain("wrong");
  });
});
