import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";

export function durationToWire(ms: number): Duration {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
