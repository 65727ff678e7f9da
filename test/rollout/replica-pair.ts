import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { runCli } from "../../cli/run-cli.ts";
import { verbs } from "../../cli/verbs.ts";
import { freePorts } from "../e2e/running-switchyard.ts";
import { FleetProcess } from "../fleet/fleet-process.ts";
import { type RealReplica, until } from "../fleet/real-fleet.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

/** A nats-server and two control-plane replicas, processes of the built command, all on loopback. */
export class ReplicaPair {
  readonly nats: NatsServer;
  readonly replicas: readonly RealReplica[];
  readonly #folder: string;

  private constructor(nats: NatsServer, replicas: readonly RealReplica[], folder: string) {
    this.nats = nats;
    this.replicas = replicas;
    this.#folder = folder;
  }

  static async start(): Promise<ReplicaPair> {
    const nats = await startNatsServer();
    const folder = mkdtempSync(join(tmpdir(), "switchyard-replicas-"));
    const ports = await freePorts(4);
    const replicas = ["cp1", "cp2"].map((id, index) => {
      const [address, http] = ports.slice(index * 2, index * 2 + 2).map((port) => `127.0.0.1:${port}`) as [
        string,
        string,
      ];
      const where = ["--nats", nats.url, "--replica-id", id, "--data-dir", join(folder, id)];
      const words = ["controlplane", ...where, "--admin-address", address, "--http-address", http];
      return { process: new FleetProcess(id, words, /control plane at revision \d+/), address };
    });
    const pair = new ReplicaPair(nats, replicas, folder);
    try {
      await Promise.all(replicas.map(({ process }) => process.start()));
    } catch (error) {
      await pair.stop();
      throw error;
    }
    return pair;
  }

  replica(id: string): RealReplica {
    return this.replicas.find(({ process }) => process.id === id) as RealReplica;
  }

  /** The one that is not this. */
  other(than: RealReplica): RealReplica {
    return this.replicas.find((replica) => replica !== than) as RealReplica;
  }

  /**
   * One command line that commits, in this process, against the first replica unless another is given. Where a busy machine's
   * server of the log does not answer in time, it is tried again under the same request id. Fails where it does.
   */
  async commit(words: readonly string[], input = "", to = this.replicas[0]): Promise<void> {
    const line = [...words, "--request-id", randomUUID(), "--server", to?.address ?? ""];
    await until(`switchyard ${words.join(" ")}`, async () => {
      let said = "";
      const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
        said += chunk.toString();
        done();
      };
      const code = await runCli(line, verbs, {
        stdin: Readable.from([input]),
        stdout: new Writable({ write }),
        stderr: new Writable({ write }),
        defaultServer: undefined,
        defaultAuthor: "test",
        colour: false,
        signal: new AbortController().signal,
      });
      if (code !== 0 && !said.includes("LOG_UNAVAILABLE")) throw new Error(`switchyard ${words.join(" ")}: ${said}`);
      return code === 0;
    });
  }

  /** Applies resources in the API's JSON form. */
  async apply(resources: readonly object[]): Promise<void> {
    await this.commit(["apply", "-f", "-"], JSON.stringify(resources));
  }

  async stop(): Promise<void> {
    for (const { process } of this.replicas) await process.kill();
    await this.nats.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
