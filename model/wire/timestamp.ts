import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";

/** Milliseconds since 1970 as the API's message. */
export function timestampToWire(ms: number): Timestamp {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 };
}

/** The reverse; parts of a millisecond are dropped. */
export function timestampMs(message: Timestamp): number {
  return Number(message.seconds) * 1000 + Math.floor(message.nanos / 1_000_000);
}
