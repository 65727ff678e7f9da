import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNativeEngine } from "../../../dataplane/engine/native-engine.ts";
import { createPortableEngine } from "../../../dataplane/engine/portable-engine.ts";
import { type IpAddress, joinSocketAddress, splitSocketAddress } from "../../../model/address.ts";
import { clientHelloBytes } from "../../support/client-hello-bytes.ts";
import { EngineRig } from "../../support/engine-rig.ts";
import { connectTo } from "../../support/recording-handler.ts";
import { runTool } from "../../support/run-tool.ts";
import { startTalking, type TalkingProcess } from "../../support/talking-process.ts";
import { type NetworkHost, TestNetwork } from "../../support/test-network.ts";

const hello = clientHelloBytes();
const bulkBytes = 3_000_000;
/** Any that nobody uses. */
const table = String(4000 + (process.pid % 1000));

/** A client and a server that are neighbours of this machine, by one of the two protocols. */
interface Neighbours {
  readonly family: "-4" | "-6";
  readonly own: string;
  readonly client: string;
  readonly server: string;
}

/**
 * What an operator sets up: the server's way back to its clients leads over this machine, and what comes from the server
 * for a client is this machine's own, as the sockets that are bound to the client's address are here.
 */
describe("from the client's address", () => {
  let rig: EngineRig;
  let network: TestNetwork;
  let hosts: { readonly client: NetworkHost; readonly server: NetworkHost };
  let bridge: string;

  beforeEach(async () => {
    rig = await EngineRig.create(createNativeEngine);
    network = await TestNetwork.make();
    hosts = { client: await network.host("client"), server: await network.host("server") };
    bridge = hosts.client.namespace.replace(/-client$/, "");
  });
  afterEach(async () => {
    await rig.close();
    await network.remove();
  });

  it("an engine says whether it can, and this one can where it may", () => {
    expect(rig.engine.sourceTransparent).toBe(true);
    expect(createPortableEngine(rig.handler).sourceTransparent).toBe(false);
  });

  it.each(["-4", "-6"] as const)("ip %s: the server sees the client's address, and all flows back", async (family) => {
    const neighbours = family === "-4" ? neighbours4() : await neighbours6();
    await leadBack(neighbours);
    try {
      const server = await start(hosts.server, serverScript, { HOST: neighbours.server });
      const address = joinSocketAddress(neighbours.server, Number(await server.line()));
      rig.handler.onDecide = ({ source }) => connectTo(address, { source: splitSocketAddress(source).host });
      const listener = splitSocketAddress(await rig.listen({ addresses: [joinSocketAddress(neighbours.own, 0)] }));
      const client = await start(hosts.client, clientScript, { HOST: listener.host, PORT: String(listener.port) });
      expect(await server.line()).toBe(`from ${neighbours.client}`);
      expect(await client.line()).toBe(`${hello.length + bulkBytes} bytes back`);
      expect(await rig.handler.closedRecord()).toMatchObject({ reason: "done", connectAttempts: 1 });
    } finally {
      await forget(neighbours);
    }
  });

  it("without a way back the attempt runs into its timeout", async () => {
    const server = await start(hosts.server, serverScript, { HOST: hosts.server.address });
    const address = joinSocketAddress(hosts.server.address, Number(await server.line()));
    rig.handler.onDecide = () =>
      connectTo(address, { source: hosts.client.address as IpAddress, connectTimeoutMs: 300 });
    const client = await rig.client(await rig.listen());
    client.write(hello);
    await client.isOver();
    expect(rig.handler.redecisions).toMatchObject([{ failure: "timeout", attempt: 1 }]);
  });

  function neighbours4(): Neighbours {
    return { family: "-4", own: network.address, client: hosts.client.address, server: hosts.server.address };
  }

  async function neighbours6(): Promise<Neighbours> {
    const [own, client, server] = ["fd5c::1", "fd5c::2", "fd5c::3"];
    await ip("-6", "addr", "add", `${own}/64`, "dev", bridge, "nodad");
    await ip("-n", hosts.client.namespace, "-6", "addr", "add", `${client}/64`, "dev", `${bridge}i2`, "nodad");
    await ip("-n", hosts.server.namespace, "-6", "addr", "add", `${server}/64`, "dev", `${bridge}i3`, "nodad");
    return { family: "-6", own, client, server };
  }

  async function leadBack({ family, own, client, server }: Neighbours): Promise<void> {
    await ip("-n", hosts.server.namespace, family, "route", "add", client, "via", own);
    await ip(family, "rule", "add", "iif", bridge, "from", server, "lookup", table);
    await ip(family, "route", "add", "local", client, "dev", "lo", "table", table);
  }

  async function forget({ family, server, client }: Neighbours): Promise<void> {
    await ip(family, "route", "delete", "local", client, "dev", "lo", "table", table);
    await ip(family, "rule", "delete", "iif", bridge, "from", server, "lookup", table);
  }

  async function start(host: NetworkHost, script: string, env: Record<string, string>): Promise<TalkingProcess> {
    const sent = { HELLO: hello.toString("hex"), BULK: String(bulkBytes), ...env };
    return startTalking(rig, script, sent, ["ip", ...host.prefix.slice(1)]);
  }
});

const serverScript = `
  const server = require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    console.log("from " + socket.remoteAddress);
    socket.pipe(socket).on("error", () => socket.destroy());
  });
  server.listen(0, process.env.HOST, () => console.log(server.address().port));
`;

const clientScript = `
  const { HOST, PORT, HELLO, BULK } = process.env;
  const socket = require("node:net").connect(Number(PORT), HOST, () => {
    socket.write(Buffer.from(HELLO, "hex"));
    socket.write(Buffer.alloc(Number(BULK)));
  });
  let back = 0;
  socket.on("error", (error) => console.log(String(error)));
  socket.on("data", (chunk) => {
    back += chunk.length;
    if (back === HELLO.length / 2 + Number(BULK)) socket.end();
  });
  socket.on("end", () => console.log(back + " bytes back"));
`;

async function ip(...words: string[]): Promise<void> {
  const run = await runTool("ip", words, "iproute2");
  if (run.exitCode !== 0) throw new Error(`ip ${words.join(" ")}: ${run.stderr.trim()} (network namespaces need root)`);
}
