import { NatsError } from "nats";

/** What a refused or unanswered request to JetStream means. The error codes are those of nats-server's errors.json. */
export type RequestFault =
  /** The stream did not end where the writer expected it to. */
  | "conflict"
  /** The server can't say yet; nothing was written. */
  | "later"
  | "no_stream"
  | "no_message"
  /** No answer: whether it was carried out is not known. */
  | "unanswered"
  /** Any other refusal; nothing was written. */
  | "refused";

/** Wrong last sequence, the same of newer servers' batches, wrong last message id. */
const conflictCodes = new Set([10071, 10164, 10070]);
/** A write with the same expectation is under way. */
const laterCodes = new Set([10163]);
const noStreamCode = 10059;
const noMessageCode = 10037;

export function requestFault(error: unknown): RequestFault {
  if (!(error instanceof NatsError)) return "unanswered";
  const code = error.api_error?.err_code;
  if (code !== undefined) {
    if (conflictCodes.has(code)) return "conflict";
    if (laterCodes.has(code)) return "later";
    if (code === noStreamCode) return "no_stream";
    if (code === noMessageCode) return "no_message";
    return "refused";
  }
  // Direct gets answer in a header, without a JetStream code.
  return error.code === "404" ? "no_message" : "unanswered";
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
