import type { ServiceError } from "@grpc/grpc-js";
import { ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";

/** The key under which gRPC servers send an encoded google.rpc.Status (AIP-193). */
const detailsKey = "grpc-status-details-bin";
const errorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

/**
 * The reason that a control plane gives for an error (google.rpc.ErrorInfo), such as `FORKED`; empty for what is no error
 * of a call, or has no details that can be read: a proxy in between says less.
 */
export function refusalReason(error: unknown): string {
  const [encoded] = (error as Partial<ServiceError> | undefined)?.metadata?.get(detailsKey) ?? [];
  if (!Buffer.isBuffer(encoded)) return "";
  try {
    const info = Status.decode(encoded).details.find(({ typeUrl }) => typeUrl === errorInfoType);
    return info === undefined ? "" : ErrorInfo.decode(info.value).reason;
  } catch {
    // Damaged, or not a Status: the call has failed all the same, and its code says how.
    return "";
  }
}
