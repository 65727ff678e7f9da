import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNativeEngine, type NativeEngine } from "../../dataplane/engine/native-engine.ts";
import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { clientHelloBytes } from "../support/client-hello-bytes.ts";
import { EngineRig } from "../support/engine-rig.ts";
import { connectTo } from "../support/recording-handler.ts";
import { startTalking, type TalkingProcess } from "../support/talking-process.ts";
import { waitFor } from "../support/wait-for.ts";
import { describeEngine } from "./engine.contract.ts";

describeEngine("native", createNativeEngine, 1024);

const hello = clientHelloBytes();
const kibibyte = 2 ** 10;
const mebibyte = 2 ** 20;

/** Laws that only an engine with threads of its own can keep. */
describe("the native engine alone", () => {
  let rig: EngineRig;
  beforeEach(async () => {
    rig = await EngineRig.create((handler) => createNativeEngine(handler, { threads: 2 }));
  });
  afterEach(async () => {
    await rig.close();
  });

  it("bytes flow while JavaScript is blocked for 2 s, and new connections wait under their hello deadline", async () => {
    const peers = await startPeers(rig);
    rig.handler.onDecide = () => connectTo(peers.server);
    const busy = await rig.listen();
    const hasty = await rig.listen({ name: "listeners/hasty", helloDeadlineMs: 500 });
    peers.stream(busy);
    await waitFor("the stream to begin", () => peers.received() > mebibyte);
    peers.greet(hasty);
    const before = peers.received();
    blockFor(2000);
    const during = peers.received() - before;
    expect(during).toBeGreaterThan(32 * mebibyte);
    const record = await rig.handler.closedRecord();
    expect(record).toMatchObject({ reason: "hello_timeout", listener: "listeners/hasty" });
  });

  it("9,000 idle connections are held, each still passes bytes, and all is given back", async () => {
    const count = Math.min(9000, Math.floor((descriptorLimit() - 2000) / 2));
    const server = await startEcho(rig);
    rig.handler.onDecide = () => connectTo(server);
    const clients = await startIdleClients(rig, await rig.listen(), count);
    await waitFor("all to be spliced", () => rig.engine.stats().connections === count, 120_000);
    clients.send("ping");
    expect(await clients.line()).toBe(`${count} echoes`);
    clients.send("end");
    await rig.handler.closedRecord(count);
    expect(new Set(rig.handler.records.map(({ reason }) => reason))).toEqual(new Set(["done"]));
  }, 240_000);

  it.each(["client", "server"] as const)(
    "what the kernel holds for a %s that reads nothing is bounded",
    async (stuck) => {
      const { client, server } = await rig.splice();
      const [from, to] = stuck === "client" ? [server.socket, client.socket] : [client.socket, server.socket];
      to.removeAllListeners("data");
      to.pause();
      const listener = splitSocketAddress(rig.engine.boundAddresses("listeners/edge")[0] as SocketAddress).port;
      const upstream = server.socket.localPort as number;
      const block = Buffer.alloc(mebibyte);
      const push = (): void => {
        while (!from.destroyed && from.write(block));
      };
      from.on("drain", push);
      push();
      const held = (): number => heldByKernel(listener, upstream);
      let last = -1;
      await waitFor("the sender to be held up", () => {
        const now = from.bytesWritten - from.writableLength;
        const still = now === last && held() > 32 * kibibyte;
        last = now;
        return still;
      });
      expect(held()).toBeLessThan(512 * kibibyte);
      from.destroy();
    },
  );

  it("questions that JavaScript is behind with wait their turn, and all are asked", async () => {
    const count = 200;
    const peers = await startPeers(rig, clientHelloBytes({ paddingBytes: 15_000 }));
    const listener = await rig.listen();
    for (let opened = 0; opened < count; opened += 1) peers.greet(listener);
    // Two threads' queues hold a mebibyte each, and this is three.
    while (rig.engine.stats().accepted < count) blockFor(10);
    blockFor(200);
    expect((rig.engine as NativeEngine).stats().queueWaits).toBeGreaterThan(0);
    expect(rig.handler.arrivals).toEqual([]);
    await rig.handler.closedRecord(count);
    expect(rig.handler.records.map(({ reason }) => reason)).toEqual(new Array(count).fill("no_route"));
  });

  it("the numbers of this engine alone are told", async () => {
    await rig.splice();
    expect(rig.engine.stats()).toMatchObject({ queueWaits: 0, tapBytesDropped: 0 });
  });
});

/** Blocks this thread, as a table that is rebuilt does. */
function blockFor(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

function descriptorLimit(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return Number(line?.[1]);
}

/** Bytes that wait in the engine's two sockets, unsent or unread: of /proc/net/tcp, whose queues are in hexadecimal. */
function heldByKernel(listenerPort: number, serverPort: number): number {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  let held = 0;
  for (const line of readFileSync("/proc/self/net/tcp", "utf8").split("\n").slice(1)) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    const ours = local.endsWith(`:${hex(listenerPort)}`) || remote.endsWith(`:${hex(serverPort)}`);
    if (!ours) continue;
    for (const queue of queues.split(":")) held += Number.parseInt(queue, 16) || 0;
  }
  return held;
}

/** A server and clients on a thread of their own, which goes on while this one is blocked. */
interface Peers {
  readonly server: SocketAddress;
  received(): number;
  stream(listener: SocketAddress): void;
  greet(listener: SocketAddress): void;
}

async function startPeers(rig: EngineRig, greeting = hello): Promise<Peers> {
  const counter = new BigInt64Array(new SharedArrayBuffer(8));
  const worker = new Worker(streamingPeers, { eval: true, workerData: { counter, hello: greeting } });
  rig.keep({ close: async () => void (await worker.terminate()) });
  const [port] = (await once(worker, "message")) as [number];
  const ask = (what: string) => (listener: SocketAddress) =>
    worker.postMessage({ what, port: splitSocketAddress(listener).port }, []);
  return {
    server: joinSocketAddress("127.0.0.1", port),
    received: () => Number(Atomics.load(counter, 0)),
    stream: ask("stream"),
    greet: ask("greet"),
  };
}

const streamingPeers = `
  const { parentPort, workerData: { counter, hello } } = require("node:worker_threads");
  const net = require("node:net");
  const block = Buffer.alloc(262144);
  const server = net.createServer((socket) => {
    const push = () => { while (!socket.destroyed && socket.write(block)); };
    socket.on("drain", push).on("error", () => socket.destroy());
    push();
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
  parentPort.on("message", ({ what, port }) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(hello));
    socket.on("error", () => socket.destroy());
    if (what === "stream") socket.on("data", (chunk) => Atomics.add(counter, 0, BigInt(chunk.length)));
    else socket.resume();
  });
`;

async function startEcho(rig: EngineRig): Promise<SocketAddress> {
  const echo = startTalking(
    rig,
    `
    const server = require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
      let helloLeft = Number(process.env.HELLO_LENGTH);
      socket.on("data", (chunk) => {
        const behind = chunk.subarray(helloLeft);
        helloLeft -= Math.min(helloLeft, chunk.length);
        if (behind.length > 0) socket.write(behind);
      });
      socket.on("end", () => socket.end()).on("error", () => socket.destroy());
    });
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(server.address().port));
  `,
    { HELLO_LENGTH: String(hello.length) },
  );
  return joinSocketAddress("127.0.0.1", Number(await echo.line()));
}

async function startIdleClients(rig: EngineRig, listener: SocketAddress, count: number): Promise<TalkingProcess> {
  const clients = startTalking(
    rig,
    `
    const net = require("node:net");
    const { PORT, COUNT, HELLO } = process.env;
    const hello = Buffer.from(HELLO, "hex");
    const sockets = [];
    let echoes = 0;
    const open = () => {
      if (sockets.length === Number(COUNT)) return;
      const socket = net.connect(Number(PORT), "127.0.0.1", () => { socket.write(hello); open(); });
      socket.on("data", () => { if (++echoes === Number(COUNT)) console.log(echoes + " echoes"); });
      socket.on("error", (error) => { console.log(String(error)); process.exit(1); });
      sockets.push(socket);
    };
    for (let lane = 0; lane < 32; lane += 1) open();
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      for (const socket of sockets) if (line === "ping") socket.write("x"); else socket.end();
    });
  `,
    { PORT: String(splitSocketAddress(listener).port), COUNT: String(count), HELLO: hello.toString("hex") },
  );
  return clients;
}
