import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { Peer } from "./peer.ts";
import { waitFor } from "./wait-for.ts";

/** A TCP server whose connections are {@link Peer}s, in the order in which they came. */
export class PeerServer {
  readonly address: SocketAddress;
  readonly peers: Peer[] = [];
  readonly #server: Server;
  #taken = 0;

  private constructor(server: Server, onPeer: (peer: Peer) => void) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.address = joinSocketAddress(address, port);
    server.on("connection", (socket) => {
      const peer = new Peer(socket);
      this.peers.push(peer);
      onPeer(peer);
    });
  }

  /** @param onPeer is called for each connection before any of its bytes is read */
  static async listen(onPeer: (peer: Peer) => void = () => undefined, host = "127.0.0.1"): Promise<PeerServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen({ host, port: 0 });
    await once(server, "listening");
    return new PeerServer(server, onPeer);
  }

  /** The next connection that no one has asked for yet. */
  async nextPeer(): Promise<Peer> {
    const index = this.#taken;
    this.#taken += 1;
    return waitFor("a connection at the server", () => this.peers[index]);
  }

  /** Stops accepting and cuts what is left. */
  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
