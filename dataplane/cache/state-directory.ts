import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";

/** Another process, or another node of this one, has the directory. */
export class StateDirectoryInUse extends Error {
  override readonly name = "StateDirectoryInUse";
}

/**
 * Makes the directory where it is not there, and takes it for this process; answers the way to give it back.
 *
 * The lock is flock(2) on the directory itself, so that it needs no file, and holds on a read-only disk. Node can't call
 * it, but flock(1) can be lent the descriptor: the lock belongs to what is open, and stays when that program has ended. The
 * kernel frees it with this process, however that dies.
 *
 * @throws StateDirectoryInUse, or the system's error
 */
export function takeStateDirectory(path: string): () => void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const descriptor = openSync(path, "r");
  try {
    const { status, error, stderr } = spawnSync("flock", ["-n", "3"], {
      stdio: ["ignore", "ignore", "pipe", descriptor],
      encoding: "utf8",
    });
    if (status === 1) throw new StateDirectoryInUse(`${path}: another node has this state directory`);
    if (error !== undefined)
      throw new Error(`${path} can't be locked without flock (Debian package util-linux): ${error.message}`);
    if (status !== 0) throw new Error(`${path} can't be locked: ${stderr.trim()}`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return () => closeSync(descriptor);
}
