import type { CloseReason, ConnectFailure } from "../../model/reason.ts";

/**
 * The records that cross between this thread and the engine's, as `dataplane/native/src/wire.h` has them: in the
 * machine's byte order, each a multiple of 8 bytes, each begun by a header. Offsets are in bytes.
 */
export const wireVersion = 2;

/** Begins every record: size (uint32), kind, code (bytes), listener (uint16), slot, generation (uint32). */
export const headerOffset = { size: 0, kind: 4, code: 5, listener: 6, slot: 8, generation: 12 } as const;

export const reportKind = {
  hello: 1,
  redecide: 2,
  serverBytes: 3,
  closed: 4,
  unbound: 5,
  drained: 6,
  fault: 7,
} as const;

/** Addresses are 20 bytes: 16 of the IP (4 for IPv4), the port (uint16), the family (4 or 6, 0 for none). */
export const helloOffset = { source: 16, local: 36, length: 56, helloBytesMax: 60, bytes: 64 } as const;
export const redecideOffset = { attempt: 16 } as const;
export const serverBytesOffset = { length: 16, bytes: 24 } as const;
export const closedOffset = {
  acceptedAtMs: 16,
  totalMs: 24,
  bytesFromClient: 32,
  bytesFromServer: 40,
  helloMs: 48,
  connectMs: 52,
  attempts: 56,
  source: 60,
  unanswered: 80,
} as const;
export const faultOffset = { error: 16 } as const;

export const verdictKind = { connect: 1, reject: 2, moreBytes: 3, wait: 4 } as const;

export const connectOffset = {
  connectTimeoutMs: 16,
  serverIdleTimeoutMs: 20,
  halfCloseTimeoutMs: 24,
  tapBytesMax: 28,
  address: 32,
  source: 52,
  prefixLength: 72,
  skippedBytes: 76,
  prefix: 80,
} as const;
export const waitOffset = { skippedBytes: 16, end: 24 } as const;
export const rejectOffset = { alertLength: 16, alert: 24 } as const;

/** A PROXY header with all its TLVs is shorter; `limits.h` refuses more. */
export const prefixBytesMax = 4096;

/** Codes of `enum class CloseReason` first, in its order; the engine gives the others back as it got them. */
const reasonCodes = {
  done: 0,
  hello_timeout: 1,
  hello_aborted: 2,
  client_reset: 3,
  server_reset: 4,
  client_idle: 5,
  server_idle: 6,
  half_close_timeout: 7,
  connections_max: 8,
  client_gone: 9,
  shutdown: 10,
  internal: 11,
  connect_failed: 12,
  connect_timeout: 13,
  no_route: 14,
  route_reject: 15,
  no_server: 16,
  not_tls: 17,
  sslv2_hello: 18,
  hello_not_first: 19,
  hello_record: 20,
  hello_too_big: 21,
  hello_malformed: 22,
  hello_session_id: 23,
  hello_duplicate_extension: 24,
  hello_psk_not_last: 25,
  name_two: 26,
  name_type: 27,
  name_empty: 28,
  name_too_long: 29,
  name_character: 30,
  name_label_length: 31,
  proxy_missing: 32,
  proxy_untrusted: 33,
  proxy_malformed: 34,
  proxy_too_big: 35,
  queue_full: 36,
  queue_timeout: 37,
  server_down: 38,
  server_removed: 39,
} as const satisfies Record<CloseReason, number>;

export const closeReasons = Object.keys(reasonCodes) as readonly CloseReason[];

export function reasonCode(reason: CloseReason): number {
  return reasonCodes[reason];
}

export const connectFailures: readonly ConnectFailure[] = [
  "refused",
  "timeout",
  "unreachable",
  "reset",
  "local_limit",
  "other",
];

/** Where a fault was met, by `enum class FaultPlace`. */
export const faultPlaces = ["accept", "epoll_ctl", "memory", "thread", "watching a listener"] as const;

/** The order of `stats`. */
export const nativeStats = [
  "connections",
  "hellosPending",
  "accepted",
  "acceptPauses",
  "queueWaits",
  "tapBytesDropped",
] as const;
