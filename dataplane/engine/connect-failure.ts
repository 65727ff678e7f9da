import type { ConnectFailure } from "../../model/reason.ts";
import { errorCode, isExhaustion } from "./error-code.ts";

/** What the system's error says about an attempt to connect. */
export function connectFailure(error: unknown): ConnectFailure {
  // The address to connect from can't be had.
  if ((error as NodeJS.ErrnoException).syscall === "bind") return "local_limit";
  const code = errorCode(error);
  if (isExhaustion(code)) return "local_limit";
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "ETIMEDOUT":
      return "timeout";
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
    case "EHOSTDOWN":
      return "unreachable";
    case "ECONNRESET":
      return "reset";
    // From connect(2): no local port is free towards this server.
    case "EADDRNOTAVAIL":
    case "EAGAIN":
      return "local_limit";
    default:
      return "other";
  }
}
