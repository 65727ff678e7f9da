import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningSwitchyard } from "../e2e/running-switchyard.ts";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePort } from "../support/free-port.ts";
import { farm, listener, route, server } from "./node-rig.ts";
import { TestControlPlane } from "./test-control-plane.ts";
import { TlsClient, whoAnswers } from "./tls-client.ts";

let folder: string;
let stateDir: string;
let controlPlane: TestControlPlane;
let web: TlsTestServer;
let port: number;
const nodes: RunningSwitchyard[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-kept-"));
  stateDir = join(folder, "state");
  controlPlane = await TestControlPlane.start();
  web = await TlsTestServer.listen("web-a");
  port = await freePort();
  await controlPlane.apply([
    farm("web"),
    server("web", "a", web.address),
    listener("edge", [port]),
    route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" }),
  ]);
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.end("SIGKILL");
  await web.close();
  await controlPlane.close();
  rmSync(folder, { recursive: true });
});

/** A node's process, and the port of its health and metrics once it serves. */
async function started(...words: readonly string[]): Promise<{ process: RunningSwitchyard; httpPort: number }> {
  const anyPort = ["--http-address", "127.0.0.1:0"];
  const own = ["node", "--id", "n1", "--control", controlPlane.address, "--state-dir", stateDir, ...anyPort];
  const process = new RunningSwitchyard([...own, ...words]);
  nodes.push(process);
  return { process, httpPort: Number(await process.printed(/at revision \d+: http port (\d+)/)) };
}

/** Resolves once the control plane heard that the node has the revision, which it says of what it has kept. */
async function reported(revision: number): Promise<void> {
  let seen = 0n;
  await waitFor(`revision ${revision} in the node's report`, () => {
    void controlPlane.node("n1").then((node) => {
      seen = node?.revision ?? 0n;
    });
    return seen === BigInt(revision);
  });
}

/** Resolves once the node has the revision on disk. */
async function keeps(httpPort: number, revision: number): Promise<void> {
  let metrics = "";
  await waitFor(`revision ${revision} on disk`, () => {
    // A node that is being started or stopped resets connections: it is asked again.
    void status(httpPort, "/metrics").then(
      (text) => (metrics = text),
      () => undefined,
    );
    return metrics.includes(`switchyard_node_kept_revision ${revision}\n`);
  });
}

async function status(httpPort: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

describe("a node that was killed while its control plane is gone", () => {
  it("routes what it routed before, at once, and follows the log again when it is back", async () => {
    const first = await started();
    await reported(1);
    await controlPlane.apply([route("edge", "too", { serverNames: ["too.test"] }, { farm: "farms/web" })]);
    await reported(2);
    await controlPlane.kill();
    await first.process.end("SIGKILL");
    const second = await started();
    expect(second.process.stdout).toContain("at revision 2");
    expect(await status(second.httpPort, "/readyz")).toBe("200 ready\n");
    for (const name of ["web.test", "too.test"]) expect(await whoAnswers(port, name)).toBe("web-a");
    const live = await TlsClient.connect(port, "web.test");
    await controlPlane.restart();
    await controlPlane.apply([route("edge", "new", { serverNames: ["new.test"] }, { farm: "farms/web" })]);
    await reported(3);
    expect(await whoAnswers(port, "new.test")).toBe("web-a");
    await live.echoes("through all of it");
    await live.close();
  });

  it("says what it comes up with, and has nothing where it kept nothing", async () => {
    const first = await started();
    await reported(1);
    await first.process.end("SIGKILL");
    rmSync(stateDir, { recursive: true });
    await controlPlane.kill();
    const second = new RunningSwitchyard(
      ["node", "--control", controlPlane.address, "--state-dir", stateDir, "--http-address", "127.0.0.1:0"],
      folder,
    );
    nodes.push(second);
    await waitFor("its word", () => second.stderr.includes("nothing was kept"));
    expect(await whoAnswers(port, "web.test")).toBe("ECONNREFUSED");
  });
});

describe("a state directory", () => {
  it("that is damaged is said in the log, and the node takes all of it from the control plane", async () => {
    const first = await started();
    await reported(1);
    await first.process.end("SIGTERM");
    for (const name of readdirSync(stateDir)) {
      const file = join(stateDir, name);
      writeFileSync(
        file,
        readFileSync(file).map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
      );
    }
    const second = await started();
    expect(second.process.stderr).toContain("the state directory is damaged");
    expect(await whoAnswers(port, "web.test")).toBe("web-a");
    await keeps(second.httpPort, 1);
    await controlPlane.kill();
    await second.process.end("SIGKILL");
    await started();
    expect(await whoAnswers(port, "web.test")).toBe("web-a");
  });

  it("of another node that runs is refused", async () => {
    await started();
    const second = new RunningSwitchyard(["node", "--control", controlPlane.address, "--state-dir", stateDir], folder);
    nodes.push(second);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain("another node has this state directory");
  });
});

describe("a node that is told neither where the log is nor whom to report to", () => {
  it("is refused with the flags that it needs", async () => {
    const process = new RunningSwitchyard(["node", "--http-address", "127.0.0.1:0"], folder);
    nodes.push(process);
    expect(await process.ended()).toBe(2);
    expect(process.stderr).toContain("--nats or --control");
  });
});
