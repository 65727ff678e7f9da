import { Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import type {
  ServiceError,
  UntypedServiceImplementation,
  handleServerStreamingCall,
  handleUnaryCall,
  status,
} from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { ConfigServiceService } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { ConfigServiceServer } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { FleetServiceService } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { FleetServiceServer } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { RolloutServiceService } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { RolloutServiceServer } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";

/** The calls that a test expects; any other is answered UNIMPLEMENTED. */
export type FakeCalls = Partial<ConfigServiceServer> &
  Partial<RolloutServiceServer> &
  Partial<Omit<FleetServiceServer, "listServers">> & {
    /** The fleet's ListServers; the configuration has a call of that name too. */
    readonly listServerStatuses?: FleetServiceServer["listServers"];
  };

export interface FakeControlPlane {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly close: () => void;
}

/**
 * A gRPC server that answers as the test says, over a real connection: for what the real control plane never says, or
 * not at the moment that a test needs it.
 */
export async function fakeControlPlane(calls: FakeCalls): Promise<FakeControlPlane> {
  const server = new Server();
  const { listServerStatuses, ...handlers } = calls;
  server.addService(ConfigServiceService, handlers as UntypedServiceImplementation);
  const fleet = { ...handlers, listServers: listServerStatuses };
  server.addService(FleetServiceService, fleet as UntypedServiceImplementation);
  server.addService(RolloutServiceService, handlers as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

/** A unary call that answers, or fails with what it throws. */
export function answering<Request, Response>(
  answer: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    try {
      callback(null, answer(call.request));
    } catch (error) {
      callback(error as ServiceError, null);
    }
  };
}

/** A stream of the answers, which then ends. */
export function streaming<Request, Response>(
  answers: (request: Request) => readonly Response[],
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    try {
      for (const answer of answers(call.request)) call.write(answer);
      call.end();
    } catch (error) {
      call.emit("error", error);
    }
  };
}

export interface Details {
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly (readonly [field: string, description: string])[];
}

/** An error as AIP-193 wants it. */
export function refusal(code: status, message: string, { reason, metadata, violations }: Details = {}): ServiceError {
  const details = [];
  if (reason !== undefined)
    details.push({
      typeUrl: "type.googleapis.com/google.rpc.ErrorInfo",
      value: ErrorInfo.encode({ reason, domain: "switchyard", metadata: { ...metadata } }).finish(),
    });
  if (violations !== undefined) {
    const fieldViolations = violations.map(([field, description]) => ({ field, description, reason: "" }));
    const value = BadRequest.encode({ fieldViolations }).finish();
    details.push({ typeUrl: "type.googleapis.com/google.rpc.BadRequest", value });
  }
  return withDetails(code, message, Buffer.from(Status.encode({ code, message, details }).finish()));
}

/** An error with any bytes for its details. */
export function withDetails(code: status, message: string, encoded: Buffer): ServiceError {
  const trailers = new Metadata();
  trailers.set("grpc-status-details-bin", encoded);
  return Object.assign(new Error(message), { code, details: message, metadata: trailers });
}
