import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinSocketAddress } from "../../model/address.ts";
import { waitFor } from "../support/wait-for.ts";
import { freePort } from "../support/free-port.ts";
import { farm, listener, NodeRig, route, server } from "./node-rig.ts";
import { TlsClient, whoAnswers } from "./tls-client.ts";

let rig: NodeRig;
let port: number;

/** Stands in for a server's health: while it listens, checks of its port succeed. */
class Pulse {
  readonly port: number;
  readonly #server: Server;

  private constructor(of: Server) {
    this.#server = of;
    this.port = (of.address() as AddressInfo).port;
  }

  static async start(): Promise<Pulse> {
    const of = createServer((socket) => socket.on("error", () => socket.destroy()).end()).listen(0, "127.0.0.1");
    await once(of, "listening");
    return new Pulse(of);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }
}

const often = { nanos: 100_000_000 };

beforeEach(async () => {
  rig = await NodeRig.start();
  port = await freePort();
});

afterEach(async () => {
  await rig.close();
});

async function configure(farmMore: object, servers: readonly object[]): Promise<void> {
  const web = route("edge", "web", { serverNames: ["web.test"] }, { farm: "farms/web" });
  await rig.apply([listener("edge", [port]), farm("web", farmMore), ...servers, web]);
}

describe("a server that checks mark down", () => {
  it.each([
    ["loses its connections where the farm closes them", "ON_MARKED_DOWN_CLOSE", true],
    ["keeps them otherwise", "ON_MARKED_DOWN_KEEP", false],
  ])("%s", async (_law, onMarkedDown, closes) => {
    const pulse = rig.keep(await Pulse.start());
    const [sick, well] = [await rig.server("sick"), await rig.server("well")];
    const healthCheck = { tcp: {}, interval: often, fall: 1, rise: 1 };
    const checkAddress = joinSocketAddress("127.0.0.1", pulse.port);
    await configure({ healthCheck, onMarkedDown }, [
      server("web", "a", sick.address, { checkAddress }),
      server("web", "b", well.address),
    ]);
    const clients = [await rig.client(port, "web.test"), await rig.client(port, "web.test")];
    const toSick = clients.find((client) => client.server === "sick");
    const toWell = clients.find((client) => client.server === "well");
    if (toSick === undefined || toWell === undefined) throw new Error("each server was to have a connection");
    await pulse.close();
    await rig.reported("the server is down", ({ serverHealth }) => serverHealth.some(({ failing }) => failing));
    const answers = [await whoAnswers(port, "web.test"), await whoAnswers(port, "web.test")];
    expect(answers).toEqual(["well", "well"]);
    await toWell.echoes("still here");
    if (!closes) return toSick.echoes("still here, too");
    await waitFor("the end of the connection to the sick server", () => toSick.closed);
    const { closed } = await rig.endedAs(1);
    expect(closed.reason).toBe("server_down");
  });
});

describe("a farm whose servers are full", () => {
  it("lets a client wait until a connection ends, and serves it then", async () => {
    const web = await rig.server("web-a");
    await configure({}, [server("web", "a", web.address, { connectionsMax: 1 })]);
    const first = await rig.client(port, "web.test");
    const second = TlsClient.connect(port, "web.test");
    await waitFor("a connection that waits", () => rig.node.waiting === 1);
    await first.echoes("nobody disturbs the first");
    await first.close();
    expect(rig.keep(await second).server).toBe("web-a");
  });

  it("refuses a client in time, and says why", async () => {
    const web = await rig.server("web-a");
    await configure({ queue: { timeout: { nanos: 20_000_000 } } }, [
      server("web", "a", web.address, { connectionsMax: 1 }),
    ]);
    const first = await rig.client(port, "web.test");
    expect(await whoAnswers(port, "web.test")).toBe("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR");
    const { closed } = await rig.endedAs(1);
    expect([closed.reason, first.closed]).toEqual(["queue_timeout", false]);
  });

  it("has room at once when a commit raises the limit", async () => {
    const web = await rig.server("web-a");
    await configure({}, [server("web", "a", web.address, { connectionsMax: 1 })]);
    await rig.client(port, "web.test");
    const second = TlsClient.connect(port, "web.test");
    await waitFor("a connection that waits", () => rig.node.waiting === 1);
    await rig.apply([server("web", "a", web.address, { connectionsMax: 2 })]);
    expect(rig.keep(await second).server).toBe("web-a");
  });
});

describe("a node among others", () => {
  it("asks them once, as soon as it has servers that they may know of", async () => {
    let asked = 0;
    const exchange = { publish: () => undefined, ask: () => (asked += 1), hold: async () => undefined };
    await rig.close();
    rig = await NodeRig.start(undefined, exchange);
    await rig.apply([farm("web")]);
    expect(asked).toBe(0);
    const well = await rig.server("well");
    await rig.apply([server("web", "a", well.address)]);
    await rig.apply([server("web", "b", well.address)]);
    expect(asked).toBe(1);
  });
});
