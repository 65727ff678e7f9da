import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { joinSocketAddress, type SocketAddress } from "../../model/address.ts";

/** Listens with the shortest queue that there is, says where, and never accepts: its thread waits for good. */
const listenAndWait = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address());
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** With a backlog of 1 the kernel queues two connections (`sk_acceptq_is_full`), and then drops every SYN. */
const queueLength = 2;

/**
 * An address where connecting neither succeeds nor fails: a full queue on loopback, so that it takes no network that
 * swallows packets.
 */
export class SilentListener {
  readonly address: SocketAddress;
  readonly #worker: Worker;
  readonly #queued: readonly Socket[];

  private constructor(address: SocketAddress, worker: Worker, queued: readonly Socket[]) {
    this.address = address;
    this.#worker = worker;
    this.#queued = queued;
  }

  static async listen(): Promise<SilentListener> {
    const worker = new Worker(listenAndWait, { eval: true });
    const [{ address, port }] = (await once(worker, "message")) as [AddressInfo];
    const queued: Socket[] = [];
    while (queued.length < queueLength) {
      const socket = connect({ host: address, port });
      await once(socket, "connect");
      // The listener's end resets it.
      socket.on("error", () => socket.destroy());
      queued.push(socket);
    }
    return new SilentListener(joinSocketAddress(address, port), worker, queued);
  }

  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    await this.#worker.terminate();
  }
}
