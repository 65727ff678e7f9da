import type { ChannelOptions } from "@grpc/grpc-js";

/** Largest message that is taken: a commit of 100,000 routes, as the admin API bounds it. */
const messageBytesMax = 64 * 1024 * 1024;

/** How every connection of a node to its control plane is set up. */
export const controlPlaneChannel: ChannelOptions = {
  "grpc.max_receive_message_length": messageBytesMax,
  // Retries are ours to make; the library's keep every message of a long stream (grpc-node #2371).
  "grpc.enable_retries": 0,
  // So is the back-off: the library's own grows to two minutes, and fails every call meanwhile without trying.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5000,
};
