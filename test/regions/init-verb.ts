import { Readable, Writable } from "node:stream";
import { runCli } from "../../cli/run-cli.ts";
import { verbs } from "../../cli/verbs.ts";

/** `switchyard init nats ...` in this process. */
export async function runInit(
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const into = (texts: string[]): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => done(void texts.push(chunk.toString())) });
  const code = await runCli(["init", "nats", ...words], verbs, {
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
