import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The first line that a tool says about its version, on stdout or stderr; undefined where it is not installed. */
export async function toolVersion(command: string, argument: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, [argument], { timeout: 10_000 });
    return `${stdout}${stderr}`.trim().split("\n")[0] ?? "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
