import { once } from "node:events";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";
import { expect, it } from "vitest";
import { type SocketAddress, splitSocketAddress } from "../../../model/address.ts";
import type { EngineRig } from "../../support/engine-rig.ts";
import { connectTo, rejectWith } from "../../support/recording-handler.ts";
import { runTool } from "../../support/run-tool.ts";
import { TlsTestServer } from "../../support/tls-test-server.ts";
import { waitFor } from "../../support/wait-for.ts";

const versions: readonly SecureVersion[] = ["TLSv1.2", "TLSv1.3"];

/** Real TLS through the engine, to servers that name themselves. */
export function tlsLaws(rig: () => EngineRig): void {
  it.each(versions)("a client of %s gets the server of its name, unopened", async (version) => {
    const [one, two] = await namedServers(rig());
    const listener = await rig().listen();
    for (const server of [one, two]) {
      const socket = await handshake(listener, server, version);
      expect(socket.getProtocol()).toBe(version);
      const received = textOf(socket);
      await waitFor("the server's greeting", () => received() === `${server.name} ready\n`);
      socket.write("over and out");
      await waitFor("the echo", () => received() === `${server.name} ready\nover and out`);
      socket.end();
      await once(socket, "close");
    }
    await rig().handler.closedRecord(2);
    expect(rig().handler.records).toMatchObject([{ reason: "done" }, { reason: "done" }]);
  });

  it.each(["-tls1_2", "-tls1_3"])("openssl %s finishes its handshake with the server of its name", async (version) => {
    const [, two] = await namedServers(rig());
    const { host, port } = splitSocketAddress(await rig().listen());
    const args = ["s_client", "-connect", `${host}:${port}`, "-servername", two.name, version];
    const run = await runTool("openssl", args, "openssl");
    expect(run.stdout).toMatch(/subject=CN = two\.test/);
    expect(run.exitCode).toBe(0);
  });
}

/** Two servers, and a handler that connects each name to its server. */
async function namedServers(rig: EngineRig): Promise<readonly [TlsTestServer, TlsTestServer]> {
  const one = rig.keep(await TlsTestServer.listen("one.test"));
  const two = rig.keep(await TlsTestServer.listen("two.test"));
  rig.handler.onDecide = ({ hello }) => {
    const name = hello.outcome === "complete" ? hello.hello.serverName() : null;
    const server = [one, two].find((candidate) => candidate.name === name);
    return server === undefined ? rejectWith() : connectTo(server.address);
  };
  return [one, two];
}

async function handshake(listener: SocketAddress, server: TlsTestServer, version: SecureVersion): Promise<TLSSocket> {
  const settings = { servername: server.name, ca: server.cert, minVersion: version, maxVersion: version };
  const socket = connect({ ...splitSocketAddress(listener), ...settings });
  await once(socket, "secureConnect");
  if (!socket.authorized) throw socket.authorizationError;
  return socket;
}

function textOf(socket: TLSSocket): () => string {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}
