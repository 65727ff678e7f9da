import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** How a link fails: `refused` ends its connections and takes no new ones, `silent` loses whatever is sent from now on. */
export type Cut = "refused" | "silent";

/** The link of a region to the hub: a TCP relay that can be cut. */
export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: Cut | undefined;

  private constructor(hubPort: number) {
    this.#server = createServer((inner) => {
      if (this.#cut === "refused") {
        inner.destroy();
        return;
      }
      const outer = connect(hubPort, "127.0.0.1");
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (bytes) => {
          if (this.#cut === undefined) to.write(bytes);
        });
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async to(hubPort: number): Promise<Link> {
    const link = new Link(hubPort);
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(how: Cut): void {
    this.#cut = how;
    if (how === "refused") this.#dropAll();
  }

  /** What was lost in silence stays lost: those connections can't go on, and end. */
  mend(): void {
    if (this.#cut === "silent") this.#dropAll();
    this.#cut = undefined;
  }

  async close(): Promise<void> {
    this.#dropAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
