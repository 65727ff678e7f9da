import type { ServiceError } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";

/** What the control plane says of a call that it refused (AIP-193). */
export interface Refusal {
  readonly message: string;
  /** From ErrorInfo: UPPER_SNAKE_CASE, and stable; empty where the server gave none. */
  readonly reason: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly violations: readonly FieldViolation[];
}

export interface FieldViolation {
  /** Path in the request, in proto names: `resources[3].route.match.server_names[0]`. */
  readonly field: string;
  readonly description: string;
}

/** The key under which gRPC servers send an encoded google.rpc.Status. */
const detailsKey = "grpc-status-details-bin";
const typePrefix = "type.googleapis.com/";

/** Reads the error's details. Details that are missing, unknown or not decodable leave the plain message. */
export function readRefusal(error: ServiceError): Refusal {
  const plain: Refusal = { message: error.details, reason: "", metadata: new Map(), violations: [] };
  const [encoded] = error.metadata.get(detailsKey);
  if (!Buffer.isBuffer(encoded)) return plain;
  try {
    return { ...plain, ...readDetails(Status.decode(encoded).details) };
  } catch {
    // Not a google.rpc.Status, or damaged on the way: the message has been received all the same.
    return plain;
  }
}

function readDetails(details: Status["details"]): Omit<Refusal, "message"> {
  let reason = "";
  const metadata = new Map<string, string>();
  const violations: FieldViolation[] = [];
  for (const { typeUrl, value } of details) {
    if (typeUrl === `${typePrefix}google.rpc.ErrorInfo`) {
      const info = ErrorInfo.decode(value);
      reason = info.reason;
      for (const [key, text] of Object.entries(info.metadata)) metadata.set(key, text);
    } else if (typeUrl === `${typePrefix}google.rpc.BadRequest`)
      for (const { field, description } of BadRequest.decode(value).fieldViolations)
        violations.push({ field, description });
  }
  return { reason, metadata, violations };
}

/** Whether an error came from a call. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "metadata" in error;
}
