import { type ServiceError, status } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";

/** What a refused call says. */
export interface Refusal {
  /** `ABORTED`. */
  readonly code: string;
  readonly message: string;
  /** Of ErrorInfo. */
  readonly reason: string;
  readonly domain: string;
  /** Of BadRequest, each as `farm.name: REQUIRED`. */
  readonly fields: readonly string[];
}

/** The refusal of a call, which must not succeed. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    return readRefusal(error as ServiceError);
  }
  throw new Error(`the call was not refused: ${String(answer)}`);
}

export function readRefusal(error: ServiceError): Refusal {
  const plain = { code: status[error.code], message: error.details, reason: "", domain: "", fields: [] };
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(encoded)) return plain;
  const { code, message, details } = Status.decode(encoded);
  const statusCode: number = error.code;
  if (code !== statusCode || message !== error.details) throw new Error("the details contradict the status");
  const info = details.find(({ typeUrl }) => typeUrl === "type.googleapis.com/google.rpc.ErrorInfo");
  const bad = details.find(({ typeUrl }) => typeUrl === "type.googleapis.com/google.rpc.BadRequest");
  const { reason, domain } = ErrorInfo.decode(info?.value ?? new Uint8Array());
  const { fieldViolations } = BadRequest.decode(bad?.value ?? new Uint8Array());
  return { ...plain, reason, domain, fields: fieldViolations.map((each) => `${each.field}: ${each.reason}`) };
}

/** A table's line: code, reason and fields in one text. */
export async function refusalText(call: Promise<unknown>): Promise<string> {
  const { code, reason, domain, fields } = await refusalOf(call);
  if (domain !== "switchyard") throw new Error(`the domain is ${JSON.stringify(domain)}`);
  return [`${code} ${reason}`, ...fields].join(" | ");
}
