import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { EngineRig } from "./engine-rig.ts";

/** A process of plain Node that says lines. */
export interface TalkingProcess {
  send(line: string): void;
  /** The next line that it said. */
  line(): Promise<string>;
}

/**
 * Runs a script in a process of its own, for as long as the test runs.
 * @param before what runs it: a prefix such as `ip netns exec NAME`
 */
export function startTalking(
  rig: EngineRig,
  script: string,
  env: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): TalkingProcess {
  const [command = process.execPath, ...words] = before;
  const more = before.length === 0 ? [] : [process.execPath];
  const child = spawn(command, [...words, ...more, "-e", script], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "close");
  rig.keep({
    close: async () => {
      child.kill();
      await exited;
    },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    send: (line) => child.stdin.write(`${line}\n`),
    line: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the process has ended");
      return value;
    },
  };
}
