import { expect, it } from "vitest";
import { BytePattern } from "../../support/byte-pattern.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import type { EngineRig, SplicedPair } from "../../support/engine-rig.ts";
import { receivePattern, sendPattern } from "../../support/pattern-transfer.ts";
import type { Peer } from "../../support/peer.ts";
import { connectTo } from "../../support/recording-handler.ts";
import { runSeed, seededRandom } from "../../support/seeded-random.ts";
import { waitFor } from "../../support/wait-for.ts";

const helloLength = clientHelloBytes().length;
const mebibyte = 2 ** 20;

/** The two ends of a pair, from one side. */
interface Ends {
  readonly near: Peer;
  readonly far: Peer;
}

const sides: readonly (readonly ["client" | "server", (pair: SplicedPair) => Ends])[] = [
  ["client", ({ client, server }) => ({ near: client, far: server })],
  ["server", ({ client, server }) => ({ near: server, far: client })],
];

/** @param transferMebibytes what goes each way in the longest transfer */
export function spliceLaws(rig: () => EngineRig, transferMebibytes: number): void {
  it(`${transferMebibytes} MiB in each direction at once arrive byte for byte (seed ${runSeed()})`, async () => {
    const length = transferMebibytes * mebibyte;
    const random = seededRandom(runSeed());
    const upward = new BytePattern(runSeed() + 1);
    const downward = new BytePattern(runSeed() + 2);
    const { client, server } = await streams(rig());
    const [atServer, atClient] = await Promise.all([
      receivePattern(server, upward),
      receivePattern(client, downward),
      sendPattern(client, upward, length, random),
      sendPattern(server, downward, length, random),
    ]);
    expect([atServer, atClient]).toEqual([length, length]);
    const record = await rig().handler.closedRecord();
    expect(record).toMatchObject({ reason: "done", bytesFromClient: helloLength + length, bytesFromServer: length });
  }, 120_000);

  it.each(sides)("when the %s ends its stream, the other direction goes on", async (_side, ends) => {
    const { near, far } = ends(await rig().splice());
    const before = far.length;
    near.write("the last word");
    near.end();
    expect((await far.endsInOrder()).subarray(before).toString()).toBe("the last word");
    const nearBefore = near.length;
    for (let round = 1; round <= 3; round += 1) {
      far.write("more");
      await near.receives(nearBefore + 4 * round);
    }
    far.end();
    await near.endsInOrder();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: "done" });
  });

  it.each(sides)("a RST of the %s is passed on as a RST", async (side, ends) => {
    const { near, far } = ends(await rig().splice());
    near.reset();
    await far.isReset();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: `${side}_reset` });
  });

  it.each(sides)("a RST of the %s right behind its last bytes is a RST", async (side, ends) => {
    const { near, far } = ends(await rig().splice());
    near.write("the last word");
    near.reset();
    await far.isOver();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: `${side}_reset` });
  });

  it.each(sides)("a RST of the %s after the other has ended its stream is passed on too", async (side, ends) => {
    const { near, far } = ends(await rig().splice());
    far.end();
    await near.endsInOrder();
    near.reset();
    await far.isReset();
    expect(await rig().handler.closedRecord()).toMatchObject({ reason: `${side}_reset` });
  });

  it.each(sides)("a half-close by the %s has its own timeout", async (_side, ends) => {
    const { near } = ends(await rig().splice({ halfCloseTimeoutMs: 150 }));
    near.end();
    const record = await rig().handler.closedRecord();
    expect(record.reason).toBe("half_close_timeout");
    expect(record.totalMs).toBeGreaterThanOrEqual(150);
  });

  it.each([
    ["client_idle", 150, 60_000],
    ["server_idle", 60_000, 150],
  ] as const)("silence ends a connection with %s", async (reason, clientIdleTimeoutMs, serverIdleTimeoutMs) => {
    const { client, server } = await rig().splice({ serverIdleTimeoutMs }, { clientIdleTimeoutMs });
    const record = await rig().handler.closedRecord();
    expect(record.reason).toBe(reason);
    expect(record.totalMs).toBeGreaterThanOrEqual(150);
    await client.isOver();
    await server.isOver();
  });

  it.each(sides)("bytes from the %s alone keep both sides from being idle, half-closed or not", async (_side, ends) => {
    const timeoutMs = 1500;
    const timeouts = { serverIdleTimeoutMs: timeoutMs, halfCloseTimeoutMs: timeoutMs };
    const { near, far } = ends(await rig().splice(timeouts, { clientIdleTimeoutMs: timeoutMs }));
    const startMs = performance.now();
    let sent = far.length;
    let halfClosed = false;
    while (performance.now() < startMs + 2.5 * timeoutMs) {
      near.write(".");
      sent += 1;
      await far.receives(sent);
      if (!halfClosed && performance.now() > startMs + timeoutMs) {
        far.end();
        halfClosed = true;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(rig().handler.records).toEqual([]);
    expect((await rig().handler.closedRecord()).reason).toMatch(/^(half_close_timeout|client_idle|server_idle)$/);
  });

  it.each(sides)(
    "what the %s sends to a peer that does not read is bounded, and arrives when it reads",
    async (side, _ends) => {
      const length = 128 * mebibyte;
      const heldMax = 32 * mebibyte;
      const { client, server } = await streams(rig());
      const [from, to] = side === "client" ? [client, server] : [server, client];
      const pattern = new BytePattern(runSeed());
      const sending = sendPattern(from, pattern, length, seededRandom(runSeed()));
      const taken = (): number => from.bytesWritten - from.writableLength;
      await standsStill(taken);
      expect(taken()).toBeLessThan(heldMax);
      expect(await receivePattern(to, pattern)).toBe(length);
      await sending;
      to.end();
      from.resume();
      expect(await rig().handler.closedRecord()).toMatchObject({ reason: "done" });
    },
  );

  it("the record counts what came from each side, and the times", async () => {
    const beforeMs = Date.now();
    const { client, server } = await rig().splice({ context: "kept" });
    client.write(Buffer.alloc(1000));
    server.write(Buffer.alloc(2000));
    await server.receives(helloLength + 1000);
    await client.receives(2000);
    client.end();
    server.end();
    const record = await rig().handler.closedRecord();
    expect(record).toMatchObject({ reason: "done", context: "kept", connectAttempts: 1 });
    expect(record).toMatchObject({ bytesFromClient: helloLength + 1000, bytesFromServer: 2000 });
    expect(record.acceptedAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(record.acceptedAtMs).toBeLessThanOrEqual(Date.now());
    expect(record.helloMs).toBeGreaterThanOrEqual(0);
    expect(record.connectMs).toBeGreaterThanOrEqual(0);
    expect(record.totalMs).toBeGreaterThanOrEqual(record.helloMs + record.connectMs);
  });

  it("a thousand connections at once each get their own bytes", async () => {
    const count = 1000;
    const server = await rig().server((peer) => peer.socket.on("data", (chunk: Buffer) => peer.write(chunk)));
    rig().handler.onDecide = () => connectTo(server.address);
    const listener = await rig().listen();
    const clients = await Promise.all(Array.from({ length: count }, () => rig().client(listener)));
    const sent = clients.map((_client, index) =>
      Buffer.concat([clientHelloBytes({ serverName: `c${index}.test` }), Buffer.alloc(5000, `${index} `)]),
    );
    for (const [index, client] of clients.entries()) client.write(sent[index]!);
    for (const [index, client] of clients.entries()) {
      const echoed = await client.receives(sent[index]!.length);
      if (!echoed.equals(sent[index]!)) throw new Error(`connection ${index} got other bytes than it sent`);
    }
    expect(rig().engine.stats()).toMatchObject({ connections: count, hellosPending: 0, accepted: count });
    expect(new Set(rig().handler.arrivals.map(({ serverName }) => serverName)).size).toBe(count);
  });
}

/** Two sockets that are spliced and that nothing reads from; the hello is behind them. */
async function streams(rig: EngineRig): Promise<{ client: Peer["socket"]; server: Peer["socket"] }> {
  const pair = await rig.splice();
  for (const { socket } of [pair.client, pair.server]) {
    socket.removeAllListeners("data");
    socket.pause();
  }
  return { client: pair.client.socket, server: pair.server.socket };
}

/** Waits until a number has not changed for a good while. On a slow machine that is too early, which no test minds. */
async function standsStill(look: () => number): Promise<void> {
  let last = -1;
  let looks = 0;
  await waitFor("the sender to be held up", () => {
    looks = look() === last ? looks + 1 : 0;
    last = look();
    return looks >= 200;
  });
}
