import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { constants, randomBytes } from "node:crypto";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { testCertificate } from "../support/test-certificate.ts";
import { type ResumptionMode, resumptionModes, serverIds, type TlsFarm, type TlsStack } from "./tls-farm.ts";

/** A TLS server of Node that tells each client whether it resumed, and counts its connections. */
export class NodeTlsServer {
  readonly address: SocketAddress;
  /** Open now, and the most that there were at once. */
  connections = 0;
  connectionsMost = 0;
  /** How many of its connections have ended, by the client's address. */
  readonly ended = new Map<string, number>();
  readonly #server: Server;
  /** Also those whose handshake is not done. */
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = joinSocketAddress(address, port);
  }

  static async listen(host: string, mode: ResumptionMode, more: TlsOptions = {}): Promise<NodeTlsServer> {
    const certificate = await testCertificate("node.test");
    const server = createServer({ ...certificate, ...modeOptions[mode], ...more });
    // Node keeps no sessions itself: a server with ids brings a store.
    const sessions = new Map<string, Buffer>();
    server.on("newSession", (id: Buffer, session: Buffer, stored: () => void) => {
      sessions.set(id.toString("hex"), session);
      stored();
    });
    server.on("resumeSession", (id: Buffer, found: (error: Error | null, session: Buffer | null) => void) => {
      found(null, sessions.get(id.toString("hex")) ?? null);
    });
    server.listen({ host, port: 0 });
    await once(server, "listening");
    const made = new NodeTlsServer(server);
    server.on("connection", (socket) => {
      made.connections += 1;
      made.connectionsMost = Math.max(made.connectionsMost, made.connections);
      const from = socket.remoteAddress ?? "";
      made.#sockets.add(socket);
      socket.once("close", () => {
        made.#sockets.delete(socket);
        made.connections -= 1;
        made.ended.set(from, (made.ended.get(from) ?? 0) + 1);
      });
    });
    server.on("secureConnection", serve);
    return made;
  }

  /** New ticket keys: what was given before is of no use any more. Counts in `ended` from nothing again. */
  rotate(): void {
    this.ended.clear();
    this.#server.setTicketKeys(randomBytes(48));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** One request, one answer. */
function serve(socket: TLSSocket): void {
  socket.on("error", () => socket.destroy());
  const session = socket.isSessionReused() ? "reused" : "new";
  socket.once("data", () => socket.end(`HTTP/1.0 200 OK\r\n\r\nsession=${session}\n`));
}

const modeOptions: Readonly<Record<ResumptionMode, TlsOptions>> = {
  "tls13-tickets": { minVersion: "TLSv1.3" },
  "tls12-tickets": { maxVersion: "TLSv1.2" },
  "tls12-ids": { maxVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET },
};

/** Four servers of Node, each with keys and a store of its own. */
export class NodeFarm {
  readonly farm: TlsFarm;
  readonly servers: readonly NodeTlsServer[];

  private constructor(farm: TlsFarm, servers: readonly NodeTlsServer[]) {
    this.farm = farm;
    this.servers = servers;
  }

  static async start(
    host: string,
    mode: ResumptionMode,
    { name = `node-${mode}`, tls = {} }: { readonly name?: string; readonly tls?: TlsOptions } = {},
  ): Promise<NodeFarm> {
    const ids = serverIds();
    const servers = await Promise.all(ids.map(() => NodeTlsServer.listen(host, mode, tls)));
    const farm: TlsFarm = {
      name,
      stack: "node",
      mode,
      servers: servers.map(({ address }, index) => ({ id: ids[index] as string, address })),
      resumedBy: (answer) => answer.includes("session=reused"),
    };
    return new NodeFarm(farm, servers);
  }

  readonly stop = async (): Promise<void> => {
    for (const server of this.servers) await server.close();
  };
}

export async function startNodeStack(host: string): Promise<TlsStack> {
  const farms = await Promise.all(resumptionModes.map((mode) => NodeFarm.start(host, mode)));
  return {
    name: "node",
    version: process.versions.node,
    farms: farms.map(({ farm }) => farm),
    stop: async () => {
      for (const farm of farms) await farm.stop();
    },
  };
}
