import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePort } from "../../test/support/free-port.ts";
import { until } from "../compare/settle.ts";
import { toolVersion } from "../compare/tool-version.ts";
import type { BenchProcess } from "./bench-process.ts";
import type { TestBed } from "./test-bed.ts";

const readyWithinMs = 20_000;

/** Where a server stands among others. */
export interface NatsPlace {
  readonly name: string;
  /** A hub takes leaf servers. */
  readonly hub?: boolean;
  /** A leaf server hangs on a hub. */
  readonly leafOf?: NatsServer;
}

/** Why there is no nats-server here; undefined where there is one. */
export async function natsObstacle(): Promise<string | undefined> {
  if ((await toolVersion("nats-server", "--version")) !== undefined) return undefined;
  return "nats-server is not installed: apt-get install nats-server";
}

/** Whether it can sync before it acknowledges, as `deploy/nats` has it: from 2.10 on; older ones do not start then. */
async function canSync(): Promise<boolean> {
  const version = (await toolVersion("nats-server", "--version")) ?? "";
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || Number(minor) >= 10;
}

/** A real nats-server, whose store outlives it: it may be killed, and started again on the same port. */
export class NatsServer {
  readonly url: string;
  readonly domain: string | undefined;
  readonly leafUrl: string | undefined;
  readonly #bed: TestBed;
  readonly #name: string;
  readonly #port: number;
  readonly #configFile: string;
  #process: BenchProcess | undefined;

  private constructor(bed: TestBed, place: NatsPlace, port: number, leafPort: number | undefined, configFile: string) {
    this.#bed = bed;
    this.#name = `nats-server ${place.name}`;
    this.#port = port;
    this.#configFile = configFile;
    this.url = `nats://127.0.0.1:${port}`;
    this.leafUrl = leafPort === undefined ? undefined : `nats://127.0.0.1:${leafPort}`;
    this.domain = place.hub === true || place.leafOf !== undefined ? place.name : undefined;
  }

  static async start(bed: TestBed, place: NatsPlace): Promise<NatsServer> {
    const port = await freePort();
    const leafPort = place.hub === true ? await freePort() : undefined;
    const configFile = join(bed.folder, `${place.name}.conf`);
    const server = new NatsServer(bed, place, port, leafPort, configFile);
    const store = join(bed.folder, `${place.name}-store`);
    mkdirSync(store);
    writeFileSync(configFile, server.#config(place, leafPort, store, await canSync()));
    await server.begin();
    return server;
  }

  get pid(): number {
    if (this.#process === undefined) throw new Error(`${this.#name} is not started`);
    return this.#process.pid;
  }

  /** Starts it, again too; resolves when it takes connections. */
  async begin(): Promise<void> {
    const args = ["-c", this.#configFile];
    const process = this.#bed.start({ name: this.#name, command: "nats-server", args });
    this.#process = process;
    await until(`${this.#name} listens`, readyWithinMs, () => {
      if (!process.running) throw new Error(`${this.#name} ended: ${process.said}`);
      return accepts(this.#port);
    });
  }

  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.ended;
  }

  #config({ name, leafOf }: NatsPlace, leafPort: number | undefined, store: string, synced: boolean): string {
    const lines = [`server_name: ${name}`, `listen: "127.0.0.1:${this.#port}"`];
    const domain = this.domain === undefined ? "" : `, domain: ${this.domain}`;
    const sync = synced ? ", sync_interval: always" : "";
    lines.push(`jetstream { store_dir: ${JSON.stringify(store)}${domain}${sync} }`);
    if (leafPort !== undefined) lines.push(`leafnodes { listen: "127.0.0.1:${leafPort}" }`);
    if (leafOf?.leafUrl !== undefined) lines.push(`leafnodes { remotes: [ { url: "${leafOf.leafUrl}" } ] }`);
    return `${lines.join("\n")}\n`;
  }
}
