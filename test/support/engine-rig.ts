import type { ConnectionHandler, ConnectVerdict, Engine, ListenerSettings } from "../../dataplane/engine/engine.ts";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import { clientHelloBytes } from "./client-hello-bytes.ts";
import { leftOver, type OpenResources, openResources } from "./open-resources.ts";
import { connectPeer, type Peer } from "./peer.ts";
import { PeerServer } from "./peer-server.ts";
import { connectTo, RecordingHandler } from "./recording-handler.ts";
import { waitFor } from "./wait-for.ts";

export type CreateEngine = (handler: ConnectionHandler) => Engine | Promise<Engine>;

interface Closeable {
  close(): Promise<void>;
}

/** A connection that is spliced: a hello was sent, decided and delivered. */
export interface SplicedPair {
  readonly client: Peer;
  readonly server: Peer;
}

/** An engine, a handler and what surrounds them, for one test. Closing it proves that nothing is left. */
export class EngineRig {
  readonly handler: RecordingHandler;
  readonly engine: Engine;
  readonly #before: OpenResources;
  readonly #clients: Peer[] = [];
  readonly #surroundings: Closeable[] = [];

  private constructor(handler: RecordingHandler, engine: Engine, before: OpenResources) {
    this.handler = handler;
    this.engine = engine;
    this.#before = before;
  }

  static async create(createEngine: CreateEngine): Promise<EngineRig> {
    const before = openResources();
    const handler = new RecordingHandler();
    return new EngineRig(handler, await createEngine(handler), before);
  }

  /** Makes a listener on a free port of 127.0.0.1, with limits that no test reaches unless it sets them. */
  async listen(settings: Partial<ListenerSettings> = {}): Promise<SocketAddress> {
    const made = listenerSettings(settings);
    const failures = await this.engine.setListener(made);
    if (failures.length > 0) throw new Error(`can't listen: ${JSON.stringify(failures)}`);
    return this.engine.boundAddresses(made.name)[0] as SocketAddress;
  }

  async server(onPeer?: (peer: Peer) => void, host?: string): Promise<PeerServer> {
    return this.keep(await PeerServer.listen(onPeer, host));
  }

  async client(address: SocketAddress): Promise<Peer> {
    const peer = await connectPeer(address);
    this.#clients.push(peer);
    return peer;
  }

  /** Has something closed at the end, before it is looked for what is left. */
  keep<Thing extends Closeable>(thing: Thing): Thing {
    this.#surroundings.push(thing);
    return thing;
  }

  /** A listener, a server, and a connection between them whose hello has reached the server. */
  async splice(verdict: Partial<ConnectVerdict> = {}, settings: Partial<ListenerSettings> = {}): Promise<SplicedPair> {
    const server = await this.server();
    this.handler.onDecide = () => connectTo(server.address, verdict);
    return this.spliceThrough(await this.listen(settings), server);
  }

  /** A connection through an engine that is set up to reach this server. */
  async spliceThrough(listener: SocketAddress, server: PeerServer): Promise<SplicedPair> {
    const client = await this.client(listener);
    const hello = clientHelloBytes();
    client.write(hello);
    const peer = await server.nextPeer();
    await peer.receives(hello.length);
    return { client, server: peer };
  }

  /** Ends everything, and checks what holds for every engine at its end. */
  async close(): Promise<void> {
    await this.engine.close(0);
    for (const client of this.#clients) client.socket.destroy();
    for (const thing of this.#surroundings) await thing.close();
    const { accepted, connections, hellosPending } = this.engine.stats();
    const { records, arrivals, faults } = this.handler;
    const ids = new Set(records.map(({ id }) => id));
    const problems: string[] = [];
    if (connections !== 0 || hellosPending !== 0) problems.push(`${connections} connections are counted after the end`);
    if (records.length !== accepted)
      problems.push(`${accepted} accepted, but closed() was called ${records.length} times`);
    if (ids.size !== records.length) problems.push("closed() was called twice for one connection");
    if (new Set(arrivals.map(({ id }) => id)).size !== arrivals.length)
      problems.push("decide() was called twice for one connection");
    for (const fault of faults)
      problems.push(`fault: ${fault.message} (${fault.cause instanceof Error ? fault.cause.stack : "no cause"})`);
    if (problems.length > 0) throw new Error(problems.join("; "));
    let left = "";
    await waitFor(
      "what the engine opened to be closed",
      () => (left = leftOver(this.#before, openResources())) === "",
      10_000,
    ).catch((error: unknown) => {
      throw new Error(`left over: ${left}`, { cause: error });
    });
  }
}

/** Settings for a listener, with limits that no test reaches unless it sets them. */
export function listenerSettings(settings: Partial<ListenerSettings> = {}): ListenerSettings {
  return {
    name: "listeners/edge",
    addresses: [joinSocketAddress("127.0.0.1", 0)],
    helloBytesMax: 16_384,
    helloDeadlineMs: 60_000,
    clientIdleTimeoutMs: 60_000,
    connectionsMax: 100_000,
    proxyNetworks: [],
    ...settings,
  };
}
