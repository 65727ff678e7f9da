import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runCli } from "../../cli/run-cli.ts";
import { verbs } from "../../cli/verbs.ts";
import { SlowLink } from "../fleet/slow-link.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { runVerb } from "./run-verb.ts";

/** `switchyard controlplane`, in this process. */
class RunningVerb {
  readonly #stop = new AbortController();
  readonly #ended: Promise<number>;
  output = "";

  constructor(words: readonly string[]) {
    const take = (hear: (text: string) => void): Writable =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          hear(chunk.toString());
          done();
        },
      });
    this.#ended = runCli(["controlplane", ...words], verbs, {
      stdin: Readable.from([]),
      stdout: take((text) => (this.output += text)),
      stderr: take((text) => (this.output += text)),
      defaultServer: undefined,
      defaultAuthor: "alice",
      colour: false,
      signal: this.#stop.signal,
    });
  }

  /** The ports that the line says which it prints for the so-many-th time. */
  async ports(time = 1): Promise<{ readonly admin: string; readonly http: string }> {
    const found = await waitFor("the control plane", () => {
      const lines = [...this.output.matchAll(/control plane at revision \d+: admin port (\d+), http port (\d+)/g)];
      return lines[time - 1];
    });
    return { admin: `127.0.0.1:${found[1]}`, http: `http://127.0.0.1:${found[2]}` };
  }

  end(): Promise<number> {
    this.#stop.abort();
    return this.#ended;
  }

  /** By itself. */
  ended(): Promise<number> {
    return this.#ended;
  }
}

let nats: NatsServer;
let folder: string;
let running: RunningVerb[];
beforeEach(async () => {
  nats = await startNatsServer();
  folder = mkdtempSync(join(tmpdir(), "switchyard-cli-fleet-"));
  running = [];
});
afterEach(async () => {
  for (const verb of running) await verb.end();
  await nats.dispose();
  rmSync(folder, { recursive: true });
});

function start(id: string, words: readonly string[] = [], url = nats.url): RunningVerb {
  const where = ["--nats", url, "--replica-id", id, "--data-dir", join(folder, id), "--log-level", "silent"];
  const verb = new RunningVerb([...where, "--admin-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", ...words]);
  running.push(verb);
  return verb;
}

async function done(server: string, words: readonly string[], stdin = ""): Promise<string> {
  const { code, stdout, stderr } = await runVerb(words, { server, stdin });
  expect({ words, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}
const farm = (server: string, name: string): Promise<string> =>
  done(server, ["apply", "-f", "-", "-q"], `farm: {name: farms/${name}}`);

function fetchText(url: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    }).on("error", reject);
  });
}
async function readyThat(http: string, status: number): Promise<string> {
  for (;;) {
    const answer = await fetchText(`${http}/readyz`);
    if (answer.status === status) return answer.body;
  }
}

describe("controlplane --nats", () => {
  it("shares the log with others, says how it stands, and ends with code 0", async () => {
    const [one, two] = [start("cp-1"), start("cp-2")];
    const [first, second] = [await one.ports(), await two.ports()];
    await farm(first.admin, "a");
    expect(await done(second.admin, ["get", "farms"])).toContain("farms/a");
    await nats.kill();
    expect(await readyThat(first.http, 503)).toContain("the log is disconnected");
    expect((await fetchText(`${first.http}/metrics`)).body).toContain(
      'switchyard_controlplane_log_state{state="disconnected"} 1',
    );
    expect(await done(first.admin, ["get", "farms"])).toContain("farms/a");
    await nats.start();
    for (const { http } of [first, second]) await readyThat(http, 200);
    await farm(second.admin, "b");
    expect(await done(first.admin, ["get", "farms"])).toContain("farms/b");
    expect(await one.end()).toBe(0);
    expect(await two.end()).toBe(0);
  });

  it("begins anew under the same address where its copy is of another history", async () => {
    const longer = start("cp-2", ["--namespace", "other"]);
    const { admin } = await longer.ports();
    for (const name of ["x", "y", "z"]) await farm(admin, name);
    await longer.end();
    // The log's server is back for this one only when the other has rebuilt the log.
    const link = await SlowLink.open({ host: "127.0.0.1", port: nats.port }, 0);
    onTestFinished(() => link.close());
    const loser = start("cp-1", [], `nats://127.0.0.1:${link.port}`);
    const before = await loser.ports();
    await readyThat(before.http, 200);
    await farm(before.admin, "a");
    link.cut();
    await nats.kill();
    nats.wipeStore();
    const winner = start("cp-2");
    await nats.start();
    await winner.ports();
    link.mend();
    const after = await loser.ports(2);
    expect(after).toEqual(before);
    const shown = await done(after.admin, ["get", "farms"]);
    expect(shown).toContain("farms/z");
    expect(shown).not.toContain("farms/a");
    await readyThat(after.http, 200);
    await farm(after.admin, "b");
  });

  it("waits for a server that is not there yet, and can be ended while it does", async () => {
    await nats.kill();
    const waiting = start("cp-1");
    const other = start("cp-2");
    expect(await other.end()).toBe(0);
    await nats.start();
    await farm((await waiting.ports()).admin, "a");
  });

  it.each([
    [["--replica-id", "cp-1"], /--nats says where/],
    [["--nats", "nats://127.0.0.1:1"], /--nats needs a --replica-id/],
    [["--nats", "http://127.0.0.1:1", "--replica-id", "a"], /is no nats:\/\/ or tls:\/\/ URL/],
    [["--nats", "nats://127.0.0.1:1", "--replica-id", "a b"], /1 to 128 of/],
    [["--nats", "nats://127.0.0.1:1", "--replica-id", "a", "--stream-replicas", "2"], /1, 3 or 5/],
  ])("%j is wrong, and told in one line", async (words, message) => {
    const verb = new RunningVerb([...words, "--log-level", "silent", "--data-dir", join(folder, "none")]);
    running.push(verb);
    expect(await verb.ended()).toBe(2);
    expect(verb.output).toMatch(message);
  });
});
