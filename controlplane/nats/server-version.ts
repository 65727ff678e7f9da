/** The server, or how it is set up, can't keep what the log promises. The message says what to do. */
export class NatsUnusable extends Error {
  override readonly name = "NatsUnusable";
}

/**
 * Refuses servers that can't carry the log.
 *
 * 2.9 is the first whose direct get and republish are complete; 2.10.20 to 2.10.22 lost messages of replicated streams when
 * a leader changed (fixed in 2.10.23).
 *
 * @throws NatsUnusable with the version in its message
 */
export function checkServerVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = numbersOf(version);
  if (major < 2 || (major === 2 && minor < 9))
    throw new NatsUnusable(`nats-server ${shown(version)} is too old: 2.9 or later is needed`);
  if (major === 2 && minor === 10 && patch >= 20 && patch <= 22)
    throw new NatsUnusable(
      `nats-server ${shown(version)} may lose messages of a replicated stream: use 2.10.23 or later`,
    );
}

/** What an operator must know of a server that works, as whole sentences. */
export function serverWarnings(version: string, replicas: number): readonly string[] {
  const [major = 0, minor = 0] = numbersOf(version);
  if (major > 2 || minor >= 10) return [];
  const warnings = [
    `nats-server ${shown(version)} can't sync before it acknowledges (2.10 can): a power failure may take the last minutes from its store. The replicas' own copies bring them back.`,
  ];
  if (replicas > 1)
    warnings.push(
      `nats-server ${shown(version)} with ${replicas} replicas has known faults at restarts of a whole cluster; use 2.10.23 or later.`,
    );
  return warnings;
}

function numbersOf(version: string): readonly number[] {
  return /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
}

function shown(version: string): string {
  return version === "" ? "of an unknown version" : version;
}
