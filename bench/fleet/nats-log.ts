import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { AdminApi } from "./admin-api.ts";
import { baseResources } from "./bench-configuration.ts";
import { type ControlPlaneProcess, startControlPlane } from "./control-plane-process.ts";
import type { NatsServer } from "./nats-server.ts";
import type { TestBed } from "./test-bed.ts";

const initWithinMs = 30_000;

/** Makes the streams, or with `hub` a region's mirrors of them, as an operator would. */
export async function initStreams(bed: TestBed, server: NatsServer, hub?: NatsServer): Promise<void> {
  const region = hub?.domain === undefined ? [] : ["--region", server.domain ?? "", "--hub-domain", hub.domain];
  const process = bed.switchyard(["init", "nats", "--nats", server.url, ...region]);
  await Promise.race([process.ended, late(initWithinMs)]);
  if (process.running || !process.said.endsWith("(exit code 0)")) throw new Error(`init nats: ${process.said}`);
}

/** A control-plane replica on the log of a server. */
export async function startReplica(bed: TestBed, server: NatsServer, id: string): Promise<ControlPlaneProcess> {
  return startControlPlane(bed, ["--nats", server.url, "--replica-id", id, "--data-dir", join(bed.folder, id)]);
}

export interface SmallLog {
  readonly address: string;
  readonly httpPort: number;
  readonly api: AdminApi;
  /** Where a small configuration is complete. */
  readonly revision: number;
}

/** A replica with its admin API, and a small configuration. */
export async function startWithBase(bed: TestBed, server: NatsServer): Promise<SmallLog> {
  const { address, httpPort } = await startReplica(bed, server, "replica-1");
  const api = new AdminApi(address);
  bed.atEnd(() => api.close());
  return { address, httpPort, api, revision: await api.apply(baseResources(await freePort()), "base") };
}

async function late(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
}
