import { readFileSync } from "node:fs";

/** Established connections that a process has accepted on an IPv4 port of this machine. */
export function countAccepted(port: number): number {
  return acceptedIn(readFileSync("/proc/net/tcp", "utf8"), port);
}

/**
 * The same from the text of `/proc/net/tcp` (proc(5)). A connection that waits in the listener's queue has no inode yet,
 * and is not counted: whether the proxy holds it is the question.
 */
export function acceptedIn(text: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let count = 0;
  for (const line of text.split("\n")) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (local?.endsWith(suffix) && state === established && inode !== "0") count += 1;
  }
  return count;
}

const established = "01";
