import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout, freePorts } from "../e2e/running-switchyard.ts";
import { FleetProcess, type RealReplica } from "../fleet/real-fleet.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { runTool, type ToolRun } from "../support/run-tool.ts";

const command = join(checkout, "cli/switchyard.mjs");

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

  /** One command line, against the first replica. Fails where it does. */
  async run(words: readonly string[], input = ""): Promise<ToolRun> {
    const server = ["--server", this.replicas[0]?.address ?? ""];
    const run = await runTool(process.execPath, [command, ...words, ...server], "nodejs", input);
    if (run.exitCode !== 0) throw new Error(`switchyard ${words.join(" ")}: ${run.stderr}`);
    return run;
  }

  /** Applies resources in the API's JSON form. */
  async apply(resources: readonly object[]): Promise<void> {
    await this.run(["apply", "-f", "-"], JSON.stringify(resources));
  }

  async stop(): Promise<void> {
    for (const { process } of this.replicas) await process.kill();
    await this.nats.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
