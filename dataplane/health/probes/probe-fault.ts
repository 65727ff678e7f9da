import { connectFailure } from "../../engine/connect-failure.ts";
import { errorCode, isExhaustion } from "../../engine/error-code.ts";
import { type CheckFailed, checkFailed } from "../check-result.ts";
import { connectReason } from "../connect-reason.ts";
import { receivedAlert } from "./tls-alert-name.ts";

/** How far a check has come. */
export type ProbePhase = "connect" | "tls" | "http";

const amid = {
  connect: "before anything was said",
  tls: "amid the TLS handshake",
  http: "amid the HTTP answer",
} as const;

/** What a check failed of, whose connection had an error. */
export function probeFault(phase: ProbePhase, error: Error): CheckFailed {
  const code = errorCode(error);
  if (isExhaustion(code)) return checkFailed("local_limit", code);
  if (phase === "connect") return checkFailed(connectReason(connectFailure(error)), code === "" ? error.message : code);
  const alert = receivedAlert(error);
  if (alert !== undefined) return checkFailed("tls_alert", alert);
  if (code === "ETIMEDOUT") return timedOut(phase);
  // Node gives this code to a connection that ended, too, but then no system call failed.
  const wasReset = (code === "ECONNRESET" && "syscall" in error && error.syscall !== undefined) || code === "EPIPE";
  if (phase === "http") return wasReset ? checkFailed("http_protocol", `reset ${amid.http}`) : cutShort(phase, error);
  if (wasReset) return checkFailed("connect_reset", `reset ${amid.tls}`);
  return code === "ECONNRESET" ? ended(phase) : cutShort(phase, error);
}

/** What a check failed of, whose connection the server ended. */
export function ended(phase: ProbePhase): CheckFailed {
  const reason = { connect: "connect_other", tls: "tls_protocol", http: "http_protocol" } as const;
  return checkFailed(reason[phase], `ended ${amid[phase]}`);
}

/** What a check failed of, whose time is over. */
export function timedOut(phase: ProbePhase): CheckFailed {
  const reason = { connect: "connect_timeout", tls: "tls_timeout", http: "http_timeout" } as const;
  const done = { connect: "not connected", tls: "no TLS handshake", http: "no HTTP status" } as const;
  return checkFailed(reason[phase], `${done[phase]} in time`);
}

function cutShort(phase: "tls" | "http", error: Error): CheckFailed {
  // OpenSSL's own word, without its file names and addresses.
  const reason = "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
  return checkFailed(phase === "tls" ? "tls_protocol" : "http_protocol", reason);
}
