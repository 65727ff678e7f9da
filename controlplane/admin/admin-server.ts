import { setMaxListeners } from "node:events";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation } from "grpc-health-check";
import { ConfigServiceService } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { RolloutServiceService } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { fleetService, type FleetParts } from "../fleet/fleet-service.ts";
import { fleetServiceDefinition } from "../fleet/session-message.ts";
import { configService, type ConfigParts } from "./config-service.ts";
import { type RolloutParts, rolloutService } from "./rollout-service.ts";

/** Largest message that the API takes or gives: 100,000 routes in one Apply are about 15 MiB. */
export const messageBytesMax = 64 * 1024 * 1024;

/** The services that health answers for; the empty name stands for the whole server. */
const services = [
  "",
  "switchyard.config.v1.ConfigService",
  "switchyard.fleet.v1.FleetService",
  "switchyard.rollout.v1.RolloutService",
];

export interface AdminServerOptions {
  /** `127.0.0.1:7700`; port 0 takes a free one. */
  readonly address: string;
  /** The descriptors of all protos, for reflection: what `buf build` writes. */
  readonly descriptors: Buffer;
  readonly config: Omit<ConfigParts, "stopping">;
  readonly fleet: Omit<FleetParts, "stopping">;
  readonly rollout: Omit<RolloutParts, "stopping">;
}

/** The system's own words, which grpc-js wraps: `No address added ... errors: [listen EADDRINUSE: ...]`. */
function bindFailure(error: Error): string {
  return /errors: \[(.*)\]$/.exec(error.message)?.[1] ?? error.message;
}

/** The gRPC edge: admin API, fleet API, rollouts, health and reflection. */
export class AdminServer {
  /** The port that it listens on. */
  readonly port: number;
  readonly #server: Server;
  readonly #health: HealthImplementation;
  readonly #stopping: AbortController;

  private constructor(server: Server, health: HealthImplementation, stopping: AbortController, port: number) {
    this.#server = server;
    this.#health = health;
    this.#stopping = stopping;
    this.port = port;
  }

  /** @throws Error with a line for the operator, where the address can't be bound */
  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const stopping = new AbortController();
    // Every open stream listens to it: thousands are no leak, and each takes itself off at its end.
    setMaxListeners(0, stopping.signal);
    const server = new Server({
      "grpc.max_receive_message_length": messageBytesMax,
      "grpc.max_send_message_length": messageBytesMax,
      // A dead follower is noticed, and its stream given back, within half a minute.
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 10_000,
    });
    server.addService(ConfigServiceService, configService({ ...options.config, stopping: stopping.signal }));
    server.addService(fleetServiceDefinition, fleetService({ ...options.fleet, stopping: stopping.signal }));
    server.addService(RolloutServiceService, rolloutService({ ...options.rollout, stopping: stopping.signal }));
    const health = new HealthImplementation(Object.fromEntries(services.map((name) => [name, "SERVING" as const])));
    health.addToServer(server);
    new ReflectionService(protoLoader.loadFileDescriptorSetFromBuffer(options.descriptors)).addToServer(server);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(options.address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new Error(`the admin API can't listen on ${options.address}: ${bindFailure(error)}`));
      });
    });
    return new AdminServer(server, health, stopping, port);
  }

  /** Ends streams, lets calls that run finish for up to `graceMs`, then ends them too. */
  async close(graceMs: number): Promise<void> {
    for (const name of services) this.#health.setStatus(name, "NOT_SERVING");
    this.#stopping.abort();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
