import { connect, type Socket } from "node:net";
import { type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import { waitFor } from "./wait-for.ts";

/** One end of a TCP connection in a test: remembers all that came, and how it ended. Half-open until it is closed. */
export class Peer {
  readonly socket: Socket;
  /** Its FIN has come. */
  ended = false;
  /** No descriptor is left. */
  closed = false;
  /** `ECONNRESET`, ...; empty while there was no error. */
  errorCode = "";
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.errorCode ||= error.code ?? error.message;
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** How many bytes have come. */
  get length(): number {
    return this.#length;
  }

  /** All bytes that have come. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Sends a FIN after what was written. */
  end(): void {
    this.socket.end();
  }

  /** Sends a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits for so many bytes in all. */
  async receives(length: number): Promise<Buffer> {
    await waitFor(`${length} bytes, of which ${this.#length} came`, () => this.#length >= length);
    return this.received;
  }

  /** Waits for the other end's FIN, and gives all that came before. A reset fails. */
  async endsInOrder(): Promise<Buffer> {
    await waitFor("the other end's FIN", () => this.ended || this.errorCode !== "" || this.closed);
    if (!this.ended || this.errorCode !== "") throw new Error(`no FIN came, but ${this.errorCode || "a close"}`);
    return this.received;
  }

  /** Waits for the other end's RST. A FIN alone is not one. */
  async isReset(): Promise<void> {
    await waitFor("the other end's RST", () => this.errorCode !== "" || this.closed);
    if (this.errorCode !== "ECONNRESET") throw new Error(`no RST came, but ${this.errorCode || "an orderly end"}`);
  }

  /** Waits until the connection is over, in whatever way. */
  async isOver(): Promise<void> {
    await waitFor("the end of the connection", () => this.ended || this.closed);
  }
}

/** Connects, and waits until the connection stands. */
export async function connectPeer(address: SocketAddress): Promise<Peer> {
  const socket = connect({ ...splitSocketAddress(address), allowHalfOpen: true, noDelay: true });
  const peer = new Peer(socket);
  await waitFor(`a connection to ${address}`, () => !socket.connecting || peer.errorCode !== "");
  if (peer.errorCode !== "")
    throw Object.assign(new Error(`${peer.errorCode} from ${address}`), { code: peer.errorCode });
  return peer;
}
