import type { SocketAddress } from "../../model/address.ts";
import type { BindFailure } from "./engine.ts";
import { errorCode, isExhaustion } from "./error-code.ts";

/** What the system's error says about an address that could not be bound. */
export function bindFailure(address: SocketAddress, error: unknown): BindFailure {
  const detail = error instanceof Error ? error.message : String(error);
  return { address, reason: reasonOf(errorCode(error)), detail };
}

function reasonOf(code: string): BindFailure["reason"] {
  if (isExhaustion(code)) return "descriptors";
  switch (code) {
    case "EADDRINUSE":
      return "address_in_use";
    case "EADDRNOTAVAIL":
      return "address_not_available";
    case "EACCES":
    case "EPERM":
      return "permission_denied";
    default:
      return "other";
  }
}
