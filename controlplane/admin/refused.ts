import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import type { Violation } from "../../model/violation.ts";
import { LogCorrupt, LogUnavailable } from "../log/event-log.ts";
import { QueueFull } from "../state/serial-queue.ts";

/** The reasons that clients can tell apart (google.rpc.ErrorInfo.reason), each with its gRPC code (AIP-193). */
const codes = {
  INVALID_FIELD: status.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: status.INVALID_ARGUMENT,
  INVALID_PAGE_TOKEN: status.INVALID_ARGUMENT,
  CONFIGURATION_CONFLICT: status.FAILED_PRECONDITION,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  ETAG_MISMATCH: status.ABORTED,
  ROLLOUT_UNDER_WAY: status.FAILED_PRECONDITION,
  ROLLOUT_STATE: status.FAILED_PRECONDITION,
  NOTHING_TO_RELEASE: status.FAILED_PRECONDITION,
  EMERGENCY_DENIED: status.PERMISSION_DENIED,
  FORKED: status.FAILED_PRECONDITION,
  TOO_MANY: status.RESOURCE_EXHAUSTED,
  COMMIT_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  LOG_UNAVAILABLE: status.UNAVAILABLE,
  LOG_CORRUPT: status.DATA_LOSS,
  NODE_UNAVAILABLE: status.UNAVAILABLE,
} as const;

export type RefusedReason = keyof typeof codes;

/** A call that is refused; the edge turns it into a gRPC status with details. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly reason: RefusedReason;
  readonly violations: readonly Violation[];

  constructor(reason: RefusedReason, message: string, violations: readonly Violation[] = []) {
    super(message);
    this.reason = reason;
    this.violations = violations;
  }

  /** One violation is the message; of more, the first and their number. */
  static by(reason: RefusedReason, violations: readonly Violation[]): Refused {
    const [first] = violations;
    if (first === undefined) throw new RangeError("a refusal names what is wrong");
    const more = violations.length === 1 ? "" : ` (and ${violations.length - 1} more)`;
    return new Refused(reason, `${first.field}: ${first.description}${more}`, violations);
  }
}

/** Violations that are sent with an error; nobody reads more. */
const violationsSentMax = 50;

/** Their bytes, but for the first: gRPC clients take 16 KiB of trailers, some 8, and there details stand in base64. */
const violationBytesMax = 3072;

/** The gRPC error for anything that a handler threw. `internal` hears of what should not have happened. */
export function serviceError(error: unknown, internal: (error: unknown) => void): ServiceError {
  if (error instanceof Refused) return statusError(error.reason, error.message, error.violations);
  if (error instanceof LogUnavailable) return statusError("LOG_UNAVAILABLE", error.message, []);
  if (error instanceof QueueFull) return statusError("TOO_MANY", error.message, []);
  internal(error);
  if (error instanceof LogCorrupt) return statusError("LOG_CORRUPT", error.message, []);
  return Object.assign(new Error("internal error; the control plane's log has it"), {
    code: status.INTERNAL,
    details: "internal error; the control plane's log has it",
    metadata: new Metadata(),
  });
}

function statusError(reason: RefusedReason, message: string, violations: readonly Violation[]): ServiceError {
  const code = codes[reason];
  const info = ErrorInfo.encode({ reason, domain: "switchyard", metadata: {} }).finish();
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: info }];
  if (violations.length > 0) {
    const value = BadRequest.encode({ fieldViolations: violationsToSend(violations) }).finish();
    details.push({ typeUrl: "type.googleapis.com/google.rpc.BadRequest", value });
  }
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(Status.encode({ code, message, details }).finish()));
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function violationsToSend(violations: readonly Violation[]): BadRequest["fieldViolations"] {
  const sent: BadRequest["fieldViolations"] = [];
  let bytes = 0;
  for (const { field, description, reason } of violations.slice(0, violationsSentMax)) {
    bytes += Buffer.byteLength(field + description + reason);
    if (bytes > violationBytesMax && sent.length > 0) break;
    sent.push({ field, description, reason: reason.toUpperCase() });
  }
  return sent;
}
