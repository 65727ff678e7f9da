import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { bulkMeasure } from "./bulk-measure.ts";
import type { CorePlan } from "./core-plan.ts";
import { holdMeasure } from "./hold-measure.ts";
import { buildLoadPrograms, Sink } from "./load-programs.ts";
import { type Measure, quickSizes } from "./measure.ts";
import { processTree } from "./process-usage.ts";
import { rateMeasure } from "./rate-measure.ts";
import { type RoundOutcome, takeRounds } from "./rounds.ts";
import { rttMeasure } from "./rtt-measure.ts";
import type { Target } from "./target.ts";

const buildTimeoutMs = 180_000;
const roundTimeoutMs = 60_000;

/** One core for all: what is tested is what counts, not how fast. */
const cores: CorePlan = { load: [0], sink: [0], proxy: [0], pair: [0], pairIsApart: false };
const sizes = { ...quickSizes, rounds: 1, rateSeconds: 0.1, bulkSeconds: 0.1, rttSeconds: 0.1, idleConnections: 50 };

const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(buildLoadPrograms, buildTimeoutMs);

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A proxy of a kind, in this process: it has no pid, and only what the load generator sees is judged. */
function target(serve: (client: Socket, sinkPorts: readonly number[]) => void): Target {
  return {
    name: "fake",
    availability: () => Promise.resolve({ available: true, version: "fake" }),
    async start(setup) {
      const server = createServer({ allowHalfOpen: true }, (client) => {
        keep(client);
        serve(client, setup.serverPorts);
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return { ports: [(server.address() as AddressInfo).port], pid: undefined, stop: () => Promise.resolve() };
    },
  };
}

function keep(socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  // A fake that breaks connections on purpose hears of it here as well.
  socket.on("error", () => socket.destroy());
}

/** Forwards both ways; `change` sees each chunk of the client's, and answers what is passed on. */
function forward(change: (chunk: Buffer, before: number) => Buffer): Target {
  return target((client, sinkPorts) => {
    const server = connect({ host: "127.0.0.1", port: sinkPorts[0] as number, allowHalfOpen: true });
    keep(server);
    let passed = 0;
    client.on("data", (chunk: Buffer) => {
      const changed = change(chunk, passed);
      passed += chunk.length;
      if (!server.write(changed)) client.pause();
    });
    server.on("drain", () => client.resume());
    client.on("end", () => server.end());
    server.pipe(client);
  });
}

async function takeOne(measure: Measure, of: Target): Promise<RoundOutcome> {
  const outcomes = await takeRounds(measure, { targets: [of], cores, sizes, report: () => undefined });
  return (outcomes.get("fake") as RoundOutcome[])[0] as RoundOutcome;
}

const honest = forward((chunk) => chunk);

/** The first bytes are hellos. */
const streamFrom = 4096;

function flip(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk);
  copy[0] = (copy[0] as number) ^ 1;
  return copy;
}

describe("a round with a proxy that is honest", () => {
  test.each([rateMeasure, bulkMeasure, rttMeasure])(
    "has figures: $name",
    async (measure) => {
      expect(await takeOne(measure, honest)).toHaveProperty("figures");
    },
    roundTimeoutMs,
  );
});

describe("a round fails, and has no figures, where the proxy", () => {
  test.each<{ does: string; proxy: Target; measure: Measure; failure: RegExp }>([
    {
      does: "closes at once",
      proxy: target((client) => client.end()),
      measure: rateMeasure,
      failure: /closed_early|reset/,
    },
    { does: "resets", proxy: target((client) => client.resetAndDestroy()), measure: rateMeasure, failure: /reset/ },
    {
      does: "answers with an alert",
      proxy: target((client) => client.end(Buffer.from([21, 3, 3, 0, 2, 2, 112]))),
      measure: rateMeasure,
      failure: /closed_early|reset/,
    },
    {
      does: "answers with the right number of wrong bytes",
      proxy: target((client) => void client.once("data", () => client.write(Buffer.alloc(1400)))),
      measure: rateMeasure,
      failure: /wrong_reply/,
    },
    {
      does: "closes streams in the middle",
      proxy: target((client, sinkPorts) => {
        const server = connect(sinkPorts[0] as number, "127.0.0.1");
        keep(server);
        client.pipe(server).pipe(client);
        client.on("data", () => {
          if (client.bytesRead > streamFrom) client.resetAndDestroy();
        });
      }),
      measure: bulkMeasure,
      failure: /reset|closed_early/,
    },
    {
      does: "changes a byte of the stream",
      proxy: forward((chunk, before) => (before > streamFrom ? flip(chunk) : chunk)),
      measure: bulkMeasure,
      failure: /bytes arrived at a server that nobody sent/,
    },
    {
      does: "loses bytes of the stream",
      proxy: forward((chunk, before) => (before > streamFrom ? chunk.subarray(1) : chunk)),
      measure: bulkMeasure,
      failure: /clients sent \d+ bytes, and \d+ arrived|nobody sent/,
    },
    {
      does: "changes messages",
      proxy: forward((chunk) => (chunk.length === 64 ? flip(chunk) : chunk)),
      measure: rttMeasure,
      failure: /wrong_reply/,
    },
  ])(
    "$does",
    async ({ proxy, measure, failure }) => {
      const outcome = await takeOne(measure, proxy);
      expect(outcome).toHaveProperty("failure");
      expect((outcome as { failure: string }).failure).toMatch(failure);
    },
    roundTimeoutMs,
  );

  test("answers for servers that were never asked", { timeout: roundTimeoutMs }, async () => {
    const other = await Sink.start(1, cores.sink);
    const impostor: Target = {
      ...honest,
      start: () => Promise.resolve({ ports: other.ports, pid: undefined, stop: () => Promise.resolve() }),
    };
    const outcome = await takeOne(rateMeasure, impostor);
    await other.stop();
    expect((outcome as { failure: string }).failure).toMatch(/\d+ connections were made, and 0 reached a server/);
  });

  test("does not start", { timeout: roundTimeoutMs }, async () => {
    const broken: Target = { ...honest, start: () => Promise.reject(new Error("bad configuration")) };
    expect(await takeOne(rateMeasure, broken)).toEqual({ round: 0, failure: "bad configuration" });
  });

  test("is not there any more", { timeout: roundTimeoutMs }, async () => {
    // The port of a server that has closed refuses.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const gone: Target = {
      ...honest,
      start: () => Promise.resolve({ ports: [port], pid: undefined, stop: () => Promise.resolve() }),
    };
    expect((await takeOne(rateMeasure, gone)) as { failure: string }).toHaveProperty(
      "failure",
      expect.stringContaining("refused"),
    );
  });

  test("has no process whose memory could be read", { timeout: roundTimeoutMs }, async () => {
    const outcome = await takeOne(holdMeasure("idle"), honest);
    expect((outcome as { failure: string }).failure).toContain("memory is measured of a process");
  });
});

test("the bench ends where the sink is gone", { timeout: roundTimeoutMs }, async () => {
  const killer: Target = {
    ...honest,
    start: async (setup) => {
      const sink = processTree(process.pid).find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("bench/load/build/sink"),
      );
      if (sink === undefined) throw new Error("this process has no sink");
      process.kill(sink, "SIGKILL");
      return honest.start(setup);
    },
  };
  await expect(takeOne(rateMeasure, killer)).rejects.toThrow("the sink has ended");
});
