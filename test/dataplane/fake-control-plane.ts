import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream } from "@grpc/grpc-js";
import type { Position } from "../../model/commit.ts";
import {
  ConfigServiceService,
  type ConfigServiceServer,
  type WatchCommitsRequest,
  type WatchCommitsResponse,
} from "../../proto/gen/switchyard/config/v1/config_service.ts";
import {
  FleetServiceService,
  type FleetServiceServer,
  type SessionRequest,
  type SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

export type Watch = ServerWritableStream<WatchCommitsRequest, WatchCommitsResponse>;
export type Session = ServerDuplexStream<SessionRequest, SessionResponse>;

/** The two streams that a node has, answered as a test says. What a real control plane never does can be had here. */
export class FakeControlPlane {
  readonly address: string;
  readonly watches: Watch[] = [];
  readonly sessions: Session[] = [];
  readonly #server: Server;

  private constructor(server: Server, port: number, watches: Watch[], sessions: Session[]) {
    this.address = `127.0.0.1:${port}`;
    this.#server = server;
    this.watches = watches;
    this.sessions = sessions;
  }

  static async listen(
    onWatch: (watch: Watch) => void = () => undefined,
    onSession: (session: Session) => void = () => undefined,
  ): Promise<FakeControlPlane> {
    const server = new Server();
    const watches: Watch[] = [];
    const sessions: Session[] = [];
    const config: Partial<ConfigServiceServer> = {
      watchCommits: (call) => {
        watches.push(call);
        onWatch(call);
      },
    };
    const fleet: Partial<FleetServiceServer> = {
      session: (call) => {
        sessions.push(call);
        onSession(call);
      },
    };
    server.addService(ConfigServiceService, config as ConfigServiceServer);
    server.addService(FleetServiceService, fleet as FleetServiceServer);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return new FakeControlPlane(server, port, watches, sessions);
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
  }
}

/** Where the log stands, as it is said on the wire. */
export function beacon({ epoch, revision, hash }: Position): WatchCommitsResponse {
  return { part: { $case: "beacon", value: { epoch: BigInt(epoch), revision: BigInt(revision), hash } } };
}
