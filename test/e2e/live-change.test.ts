import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { AdminClient } from "../../cli/client/admin-client.ts";
import type { UpdateServerResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Server } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { TlsTestServer } from "../support/tls-test-server.ts";
import { freePorts, TestInstance } from "./running-switchyard.ts";
import { subjectSeen } from "./tls-clients.ts";

const commits = 1000;

describe("a change", () => {
  let instance: TestInstance;
  let port: number;
  let one: TlsTestServer;
  let other: TlsTestServer;

  beforeAll(async () => {
    port = (await freePorts(1))[0] as number;
    one = await TlsTestServer.listen("one");
    other = await TlsTestServer.listen("other");
    instance = await TestInstance.start();
    await instance.apply(`
- farm: {name: farms/one}
- server: {name: farms/one/servers/a, address: "${one.address}"}
- farm: {name: farms/other}
- server: {name: farms/other/servers/a, address: "${other.address}"}
- listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"]}
- route: {name: listeners/edge/routes/live, match: {serverNames: [live.test]}, action: {farm: farms/one}}
- route: {name: listeners/edge/routes/moved, match: {serverNames: [moved.test]}, action: {farm: farms/one}}
`);
  });

  afterAll(async () => {
    await instance.stop();
    await one.close();
    await other.close();
  });

  /** A client that has heard the server's greeting. */
  async function connected(name: string): Promise<TLSSocket> {
    const socket = connect({ port, host: "127.0.0.1", servername: name, rejectUnauthorized: false });
    await once(socket, "data");
    return socket;
  }

  test("by the command line moves the next connection, and leaves the live one where it is", async () => {
    const live = await connected("moved.test");
    await instance.apply(
      "route: {name: listeners/edge/routes/moved, match: {serverNames: [moved.test]}, action: {farm: farms/other}}",
    );
    expect(await subjectSeen(port, "moved.test")).toBe("other");
    live.write("still there?");
    expect(String((await once(live, "data"))[0])).toBe("still there?");
    expect(live.getPeerCertificate().subject.CN).toBe("one");
    live.destroy();
  });

  test(`repeated ${commits} times elsewhere does not touch a transfer in progress`, async () => {
    const live = await connected("live.test");
    let stop = false;
    const transfer = echoUntil(live, () => stop);
    const client = new AdminClient(instance.admin, 30_000);
    for (let commit = 0; commit < commits; commit += 1) {
      const weight = 1 + (commit % 200);
      const server = Server.fromPartial({ name: "farms/other/servers/a", address: other.address, weight, state: 1 });
      await client.unary<UpdateServerResponse>((...tail) =>
        client.config.updateServer({ server, updateMask: undefined, write: undefined }, ...tail),
      );
    }
    client.close();
    await instance.settled();
    stop = true;
    const echoed = await transfer;
    expect(echoed).toBeGreaterThan(0);
    expect((await instance.cli(["status"])).stdout).toMatch(/connected +\d+ +0 +equal/);
    expect(await subjectSeen(port, "live.test")).toBe("one");
  });

  test("of its own listener's limits leaves a live connection alone, and the address bound", async () => {
    const live = await connected("live.test");
    await instance.apply(`listener: {name: listeners/edge, addresses: ["127.0.0.1:${port}"], connectionsMax: 77}`);
    live.write("still there?");
    expect(String((await once(live, "data"))[0])).toBe("still there?");
    live.destroy();
    expect(await subjectSeen(port, "live.test")).toBe("one");
  });

  test("that removes a route refuses the next connection, and revert brings it back", async () => {
    const live = await connected("live.test");
    const deleted = await instance.cli(["delete", "listeners/edge/routes/live", "--reason", "by mistake"]);
    expect(deleted.exitCode).toBe(0);
    await instance.settled();
    expect(await subjectSeen(port, "live.test")).toBeUndefined();
    const revision = Number(/(\d+)/.exec(deleted.stdout.split("revision").at(-1) ?? "")?.[1]);
    const reverted = await instance.cli(["revert", String(revision - 1)]);
    expect(reverted.exitCode).toBe(0);
    await instance.settled();
    expect(await subjectSeen(port, "live.test")).toBe("one");
    live.write("still there?");
    expect(String((await once(live, "data"))[0])).toBe("still there?");
    live.destroy();
    const history = (await instance.cli(["history"])).stdout;
    expect(history).toContain("by mistake");
  });
});

/** Sends numbered blocks and checks that they come back as they were; answers how many bytes did. */
async function echoUntil(socket: TLSSocket, stopped: () => boolean): Promise<number> {
  let sent = 0;
  let received = 0;
  const byteAt = (offset: number): number => (offset * 31 + (offset >> 8)) & 0xff;
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 4096)
      if (chunk[at] !== byteAt(received + at)) socket.destroy(new Error(`byte ${received + at} is another`));
    received += chunk.length;
  });
  const failed = once(socket, "error").then(([error]) => Promise.reject(error as Error));
  const closed = once(socket, "close").then(() => Promise.reject(new Error("the connection was closed")));
  const transfer = (async () => {
    while (!stopped() || received < sent) {
      if (!stopped() && sent - received < 1 << 20) {
        const block = Buffer.from(Uint8Array.from({ length: 16_384 }, (_, index) => byteAt(sent + index)));
        sent += block.length;
        socket.write(block);
      }
      await new Promise(setImmediate);
    }
    return received;
  })();
  try {
    return await Promise.race([transfer, failed, closed]);
  } finally {
    closed.catch(() => undefined);
    failed.catch(() => undefined);
    socket.destroy();
  }
}
