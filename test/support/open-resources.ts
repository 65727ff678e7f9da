import { readdirSync } from "node:fs";

/** What a process holds open, for a comparison before and after. */
export interface OpenResources {
  readonly descriptors: number;
  /** What keeps the loop alive, by kind: timers, sockets, servers. */
  readonly active: Readonly<Record<string, number>>;
}

const counted = new Set(["Timeout", "Immediate", "TCPSocketWrap", "TCPServerWrap", "TCPConnectWrap"]);

export function openResources(): OpenResources {
  const active: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (counted.has(kind)) active[kind] = (active[kind] ?? 0) + 1;
  return { descriptors: readdirSync("/proc/self/fd").length, active };
}

/** What there is more of now than before, in words; empty for nothing. */
export function leftOver(before: OpenResources, now: OpenResources): string {
  const left: string[] = [];
  if (now.descriptors > before.descriptors) left.push(`${now.descriptors - before.descriptors} descriptors`);
  for (const [kind, count] of Object.entries(now.active)) {
    const more = count - (before.active[kind] ?? 0);
    if (more > 0) left.push(`${more} ${kind}`);
  }
  return left.join(", ");
}
