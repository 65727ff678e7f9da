import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptorsFile } from "../../cli/descriptors.ts";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";

export interface RealControlPlane {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

const fixedTime = (): number => Date.parse("2026-11-22T12:51:36Z");

/** A control plane on an embedded log of its own, in this process. A fault of its own ends the test that closes it. */
export async function realControlPlane(now: () => number = fixedTime): Promise<RealControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-cli-"));
  const faults: unknown[] = [];
  const controlPlane = await ControlPlane.start({
    log: await SqliteEventLog.open({ path: join(folder, "log.sqlite") }),
    adminAddress: "127.0.0.1:0",
    descriptors: readFileSync(descriptorsFile),
    softwareVersion: "test",
    now,
    onFault: (error) => faults.push(error),
  });
  return {
    address: `127.0.0.1:${controlPlane.port}`,
    async close() {
      await controlPlane.close(0);
      rmSync(folder, { recursive: true });
      if (faults.length > 0) throw new AggregateError(faults, "the control plane met faults of its own");
    },
  };
}
