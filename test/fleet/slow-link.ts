import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP relay on which everything takes longer, in both directions, in order. */
export class SlowLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isCut = false;

  private constructor(to: { readonly host: string; readonly port: number }, delayMs: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(to.port, to.host);
      this.#carry(near, far, delayMs);
      this.#carry(far, near, delayMs);
    });
  }

  /** Listens on `to.host`, and carries on to `to`. */
  static async open(to: { readonly host: string; readonly port: number }, delayMs: number): Promise<SlowLink> {
    const link = new SlowLink(to, delayMs);
    link.#server.listen(0, to.host);
    await once(link.#server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and takes no other until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(from: Socket, to: Socket, delayMs: number): void {
    this.#sockets.add(from);
    from.on("data", (bytes) => this.#later(delayMs, () => to.write(bytes)));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      this.#later(delayMs, () => to.destroy());
    });
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }
}
