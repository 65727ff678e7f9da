import { Readable, Writable } from "node:stream";
import { runCli } from "../../cli/run-cli.ts";
import { verbs } from "../../cli/verbs.ts";

export interface VerbRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface VerbOptions {
  /** `host:port` of the control plane. */
  readonly server?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly colour?: boolean;
  /** Standard output is a terminal of this size. */
  readonly terminal?: { readonly rows: number; readonly columns?: number };
  /** Hears of standard output as it is written. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a command line in this process, with streams of its own. */
export async function runVerb(words: readonly string[], options: VerbOptions = {}): Promise<VerbRun> {
  const output: string[] = [];
  const errors: string[] = [];
  const collect = (texts: string[], hear: (text: string) => void): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts.push(chunk.toString());
        hear(texts.join(""));
        done();
      },
    });
  const code = await runCli(words, verbs, {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: Object.assign(
      collect(output, options.onOutput ?? (() => undefined)),
      options.terminal && { isTTY: true, ...options.terminal },
    ),
    stderr: collect(errors, () => undefined),
    defaultServer: options.server,
    defaultAuthor: "alice",
    colour: options.colour ?? false,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout: output.join(""), stderr: errors.join("") };
}
