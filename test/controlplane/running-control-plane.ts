import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { ControlPlane } from "../../controlplane/control-plane.ts";
import type { EventLog } from "../../controlplane/log/event-log.ts";
import { SqliteEventLog } from "../../controlplane/log/sqlite-event-log.ts";
import * as api from "../../proto/gen/switchyard/config/v1/config_service.ts";
import * as fleet from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type Resource as WireResource, Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { RecordedStream } from "./recorded-stream.ts";

/** What the control plane believes the time to be, in every test. */
export const timeMs = Date.parse("2026-11-22T12:51:36Z");

/** A resource in the API's JSON form: `wire({ farm: { name: "farms/web" } })`. */
export const wire = (json: object): WireResource => Resource.fromJSON(json);

interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly responseStream: false;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The unary methods of a service, with promises; what a request leaves out has its default. */
type UnaryCalls<Service> = {
  readonly [Name in keyof Service as Service[Name] extends UnaryMethod<never, unknown>
    ? Name
    : never]: Service[Name] extends UnaryMethod<infer Request, infer Response>
    ? (request: api.DeepPartial<Request>) => Promise<Response>
    : never;
};

export type ConfigCalls = UnaryCalls<typeof api.ConfigServiceService>;
export type FleetCalls = UnaryCalls<typeof fleet.FleetServiceService>;

/** A log of its own in a folder of its own, and a control plane on it behind a real port. */
export class RunningControlPlane {
  readonly #folder: string;
  readonly #faults: unknown[] = [];
  readonly #streams: RecordedStream<unknown>[] = [];
  #log: EventLog;
  #plane: ControlPlane;
  #client: Client;

  private constructor(folder: string, log: EventLog, plane: ControlPlane, faults: unknown[]) {
    this.#folder = folder;
    this.#log = log;
    this.#plane = plane;
    this.#faults = faults;
    this.#client = clientOf(plane);
  }

  static async start(): Promise<RunningControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), "switchyard-controlplane-"));
    const faults: unknown[] = [];
    const log = await SqliteEventLog.open({ path: join(folder, "log.sqlite") });
    return new RunningControlPlane(folder, log, await startPlane(log, faults), faults);
  }

  get plane(): ControlPlane {
    return this.#plane;
  }

  get log(): EventLog {
    return this.#log;
  }

  get logFile(): string {
    return join(this.#folder, "log.sqlite");
  }

  get address(): string {
    return `127.0.0.1:${this.#plane.port}`;
  }

  /** Errors of the control plane's own; a test that expects some takes them, or closing fails. */
  takeFaults(): readonly unknown[] {
    return this.#faults.splice(0);
  }

  get config(): ConfigCalls {
    return unaryCalls(this.#client, api.ConfigServiceService, api) as ConfigCalls;
  }

  get fleet(): FleetCalls {
    return unaryCalls(this.#client, fleet.FleetServiceService, fleet) as FleetCalls;
  }

  watch(request: api.DeepPartial<api.WatchCommitsRequest> = {}): RecordedStream<api.WatchCommitsResponse> {
    const client = new api.ConfigServiceClient(this.address, credentials.createInsecure(), channelOptions);
    return this.#record(client.watchCommits(api.WatchCommitsRequest.fromPartial(request)), client);
  }

  state(revision: bigint): RecordedStream<api.GetStateResponse> {
    const client = new api.ConfigServiceClient(this.address, credentials.createInsecure(), channelOptions);
    return this.#record(client.getState({ revision }), client);
  }

  /** Another replica on the same log object: with its own fold and its own queue. */
  async replica(): Promise<{
    readonly address: string;
    readonly config: ConfigCalls;
    readonly close: () => Promise<void>;
  }> {
    // The log is this one's to close.
    const shared = new Proxy(this.#log, {
      get: (log, name) => {
        if (name === "close") return async () => undefined;
        const member: unknown = Reflect.get(log, name, log);
        return typeof member === "function" ? (member.bind(log) as unknown) : member;
      },
    });
    const plane = await startPlane(shared, this.#faults);
    const client = clientOf(plane);
    return {
      address: `127.0.0.1:${plane.port}`,
      config: unaryCalls(client, api.ConfigServiceService, api) as ConfigCalls,
      close: async () => {
        client.close();
        await plane.close(0);
      },
    };
  }

  /** Another process on the same file. `between` may look at the file, or do harm to it, while nobody has it. */
  async restart(between: () => void = () => undefined): Promise<void> {
    this.#client.close();
    await this.#plane.close(0);
    between();
    this.#log = await SqliteEventLog.open({ path: this.logFile });
    this.#plane = await startPlane(this.#log, this.#faults);
    this.#client = clientOf(this.#plane);
  }

  /** @throws AggregateError where the control plane met faults of its own */
  async close(graceMs = 0): Promise<void> {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
    await this.#plane.close(graceMs);
    rmSync(this.#folder, { recursive: true });
    if (this.#faults.length > 0) throw new AggregateError(this.#faults, "the control plane met faults of its own");
  }

  #record<Message>(...[call, client]: ConstructorParameters<typeof RecordedStream<Message>>): RecordedStream<Message> {
    const stream = new RecordedStream<Message>(call, client);
    this.#streams.push(stream);
    return stream;
  }
}

async function startPlane(log: EventLog, faults: unknown[]): Promise<ControlPlane> {
  return ControlPlane.start({
    log,
    adminAddress: "127.0.0.1:0",
    descriptors: readFileSync(new URL("../../proto/gen/image.binpb", import.meta.url)),
    softwareVersion: "test",
    now: () => timeMs,
    onFault: (error) => faults.push(error),
  });
}

/** grpc-js pools connections by address and options: every rig has a port of its own, so none is shared. */
const channelOptions = { "grpc.enable_retries": 0, "grpc.max_receive_message_length": -1 };

function clientOf(plane: ControlPlane): Client {
  return new Client(`127.0.0.1:${plane.port}`, credentials.createInsecure(), channelOptions);
}

function unaryCalls(client: Client, service: object, messages: object): unknown {
  return Object.fromEntries(
    Object.entries(service as Record<string, UnaryMethod<unknown, unknown>>).map(([name, method]) => {
      const codec = (messages as Record<string, { fromPartial(request: object): unknown }>)[
        `${name[0]?.toUpperCase()}${name.slice(1)}Request`
      ];
      const call = (request: object): Promise<unknown> =>
        new Promise((resolve, reject) => {
          const { path, requestSerialize, responseDeserialize } = method;
          const message = codec?.fromPartial(request);
          const answered = (error: Error | null, response: unknown): void => {
            if (error === null) resolve(response);
            else reject(error);
          };
          client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, new Metadata(), {}, answered);
        });
      return [name, call];
    }),
  );
}
