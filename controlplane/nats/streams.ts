import { setTimeout } from "node:timers/promises";
import { ErrorCode, type JetStreamManager, NatsError, type NatsConnection, type StreamConfig } from "nats";
import type { LogNames } from "../../model/log-names.ts";
import { NatsUnusable } from "./server-version.ts";
import {
  differingSettings,
  fixedSettings,
  type StreamLimits,
  type StreamSettings,
  streamSettings,
} from "./stream-settings.ts";

/** JetStream's code for a stream that is not there. */
const streamNotFound = 10059;

/** JetStream's code for too few servers to keep a stream. */
const noPeersForPlacement = 10005;
const placementRetryMs = 200;

/** The server may have to elect leaders first. */
const requestTimeoutMs = 10_000;

/** Of the question whether JetStream is there. */
const probeTimeoutMs = 500;

export interface EnsuredStream {
  readonly stream: string;
  readonly outcome: "made" | "made anew" | "changed" | "unchanged";
  /** Settings that were changed; empty but for `changed`. */
  readonly settings: readonly string[];
}

/**
 * Makes the streams of the log, or brings those that are there to the wanted settings, and checks that the server took
 * each one: a server ignores silently what it does not know. Idempotent; several may do it at once.
 *
 * @throws NatsUnusable naming the stream and the setting, where one was not taken, or can't be changed any more
 */
export async function ensureStreams(
  connection: NatsConnection,
  names: LogNames,
  limits: StreamLimits,
): Promise<readonly EnsuredStream[]> {
  const manager = await managerOf(connection);
  const ensured: EnsuredStream[] = [];
  for (const settings of streamSettings(names, limits)) ensured.push(await ensureStream(manager, settings));
  return ensured;
}

/** A server that has just come up loses requests until JetStream is ready: it is asked shortly, and again. */
export async function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  const endMs = performance.now() + requestTimeoutMs;
  for (;;) {
    try {
      await connection.jetstreamManager({ timeout: probeTimeoutMs });
      return await connection.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
    } catch (error) {
      const lost = error instanceof NatsError && error.code === (ErrorCode.Timeout as string);
      if (!lost || performance.now() > endMs) throw error;
    }
  }
}

/** One stream of {@link ensureStreams}. */
export async function ensureStream(manager: JetStreamManager, wanted: StreamSettings): Promise<EnsuredStream> {
  const stream = wanted.name;
  const present = await configOf(manager, stream);
  if (present === undefined) {
    checkTaken(wanted, await made(manager, wanted));
    return { stream, outcome: "made", settings: [] };
  }
  const kept = roomKept(wanted, present);
  const settings = differingSettings(kept, present);
  if (settings.length === 0) return { stream, outcome: "unchanged", settings };
  const fixed = settings.filter((setting) => fixedSettings.includes(setting));
  if (fixed.length > 0)
    throw new NatsUnusable(
      `stream ${stream} is there with another ${fixed.join(", ")}, which can't be changed: it is not this installation's, or must be deleted by hand`,
    );
  const { config } = await manager.streams.update(stream, { ...present, ...kept });
  checkTaken(kept, config);
  return { stream, outcome: "changed", settings };
}

/** Servers that have just come up do not know of each other at once: until they do there is no place for three copies. */
async function made(manager: JetStreamManager, wanted: StreamSettings): Promise<StreamConfig> {
  const endMs = performance.now() + requestTimeoutMs;
  for (;;) {
    try {
      return (await manager.streams.add(wanted)).config;
    } catch (error) {
      const placeless = error instanceof NatsError && error.jsError()?.err_code === noPeersForPlacement;
      if (!placeless || performance.now() > endMs) throw error;
      await setTimeout(placementRetryMs);
    }
  }
}

/** A guard of bytes is never lowered: a log that is larger would take no commit any more. */
function roomKept(wanted: StreamSettings, present: StreamConfig): StreamSettings {
  const { max_bytes: bytes = -1 } = wanted;
  const more = present.max_bytes < 0 || present.max_bytes > bytes;
  return bytes >= 0 && more ? { ...wanted, max_bytes: present.max_bytes } : wanted;
}

/** Undefined where there is no such stream. */
export async function configOf(manager: JetStreamManager, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(stream)).config;
  } catch (error) {
    if (error instanceof NatsError && error.jsError()?.err_code === streamNotFound) return undefined;
    throw error;
  }
}

function checkTaken(wanted: StreamSettings, echoed: StreamConfig): void {
  const ignored = differingSettings(wanted, echoed);
  if (ignored.length > 0)
    throw new NatsUnusable(`stream ${wanted.name}: the server did not take ${ignored.map(String).join(", ")}`);
}
