import { runTool } from "./run-tool.ts";

/**
 * A network of its own for a test: a bridge on this machine, and hosts behind it that are network namespaces, each with an
 * address and a loopback of its own. Processes in different hosts may bind the same port; a link can be cut. Needs root.
 */
export class TestNetwork {
  /** This machine's address on the bridge. */
  readonly address: string;
  readonly #bridge: string;
  readonly #subnet: string;
  readonly #hosts = new Map<string, NetworkHost>();

  private constructor(number: number) {
    this.#subnet = `10.${64 + (number >> 8)}.${number & 255}`;
    this.address = `${this.#subnet}.1`;
    this.#bridge = `sw${number}`;
  }

  /** The number of the network is the process's, so that tests that run at once have different ones. */
  static async make(): Promise<TestNetwork> {
    const network = new TestNetwork(process.pid % 16_384);
    await ip("link", "add", network.#bridge, "type", "bridge");
    await ip("addr", "add", `${network.address}/24`, "dev", network.#bridge);
    await ip("link", "set", network.#bridge, "up");
    return network;
  }

  async host(name: string): Promise<NetworkHost> {
    const index = this.#hosts.size + 2;
    const namespace = `${this.#bridge}-${name}`;
    const [outer, inner] = [`${this.#bridge}h${index}`, `${this.#bridge}i${index}`];
    const address = `${this.#subnet}.${index}`;
    const host = { namespace, address, link: outer, prefix: ["ip", "netns", "exec", namespace] };
    this.#hosts.set(name, host);
    await ip("netns", "add", namespace);
    await ip("link", "add", outer, "type", "veth", "peer", "name", inner);
    await ip("link", "set", inner, "netns", namespace);
    await ip("link", "set", outer, "master", this.#bridge, "up");
    await ip("-n", namespace, "addr", "add", `${address}/24`, "dev", inner);
    await ip("-n", namespace, "link", "set", inner, "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    return host;
  }

  /** Cuts a host off, without a word to either side. */
  async cut({ link }: NetworkHost): Promise<void> {
    await ip("link", "set", link, "down");
  }

  async mend({ link }: NetworkHost): Promise<void> {
    await ip("link", "set", link, "up");
  }

  /** Loses so many percent of the packets to and from a host, each by chance. The random numbers are the kernel's. */
  async lose({ namespace }: NetworkHost, percent: number): Promise<void> {
    const chain = (hook: string, own: string): string =>
      `chain ${hook} { type filter hook ${hook} priority 0; ${own} lo accept; numgen random mod 100 < ${percent} drop; }`;
    const rules = ["table inet lossy {", chain("input", "iifname"), chain("output", "oifname"), "}", ""].join("\n");
    const run = await runTool("ip", ["netns", "exec", namespace, "nft", "-f", "-"], "iproute2 nftables", rules);
    if (run.exitCode !== 0) throw new Error(`nft in ${namespace}: ${run.stderr.trim()}`);
  }

  /** To be called when no process runs in any host any more. */
  async remove(): Promise<void> {
    for (const { namespace, link } of this.#hosts.values()) {
      await ip("link", "delete", link);
      await ip("netns", "delete", namespace);
    }
    await ip("link", "delete", this.#bridge);
  }
}

export interface NetworkHost {
  readonly namespace: string;
  readonly address: string;
  readonly link: string;
  /** A command line with this before it runs in the host. */
  readonly prefix: readonly string[];
}

async function ip(...words: string[]): Promise<void> {
  const run = await runTool("ip", words, "iproute2");
  if (run.exitCode !== 0) throw new Error(`ip ${words.join(" ")}: ${run.stderr.trim()} (network namespaces need root)`);
}
