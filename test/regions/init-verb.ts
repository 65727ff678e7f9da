import { Readable, Writable } from "node:stream";
import { registerInit } from "../../cli/init.ts";
import { runCli } from "../../cli/run-cli.ts";

/** `switchyard init nats ...` in this process. */
export async function runInit(
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const into = (texts: string[]): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => done(void texts.push(chunk.toString())) });
  const code = await runCli(["init", "nats", ...words], [registerInit], {
    stdin: Readable.from([]),
    stdout: into(stdout),
    stderr: into(stderr),
    defaultServer: undefined,
    defaultAuthor: "",
    colour: false,
    signal: new AbortController().signal,
  });
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}
