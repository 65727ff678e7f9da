import { spawn } from "node:child_process";

export interface ToolRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program that the tests need, feeds it `input` and waits for its end. Where it is missing the test fails and
 * says which Debian package has it.
 */
export async function runTool(
  command: string,
  args: readonly string[],
  debianPackage: string,
  input = "",
): Promise<ToolRun> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read its input is judged by its output.
  child.stdin.on("error", () => child.stdin.destroy());
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = new Error(`${command} is missing: apt-get install -y ${debianPackage}`, { cause: error });
      reject(error.code === "ENOENT" ? missing : error);
    });
    child.on("close", resolve);
    child.stdin.end(input);
  });
  return { exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}
