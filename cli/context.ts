import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";
import type { ExitCode } from "./exit-code.ts";
import { safeText } from "./output/safe-text.ts";

/** What a verb has of the world. Only `main.ts` makes one from the process; tests make their own. */
export interface CliContext {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** From SWITCHYARD_SERVER; `--server` comes before it. */
  readonly defaultServer: string | undefined;
  /** Whom commits are recorded for when `--author` is left out. */
  readonly defaultAuthor: string;
  /** Whether standard output is a terminal that wants colours. */
  readonly colour: boolean;
  /** Aborted when the verb is to stop: what follows the log ends then, with code 0. */
  readonly signal: AbortSignal;
  /** The exit code, where it is neither 0 nor that of a {@link CliFailure}. */
  readonly finish: (code: ExitCode) => void;
}

/** Adds one verb to the program. */
export type RegisterVerb = (program: Command, context: CliContext) => void;

/** A verb is loaded when a command line names it, or names none: a process loads what it needs. */
export interface Verb {
  readonly name: string;
  readonly load: () => Promise<RegisterVerb>;
}

/** Writes to standard output, and waits while its reader is slow. Nothing but text that is safe may come here. */
export async function print(context: CliContext, text: string): Promise<void> {
  if (!context.stdout.write(text)) await once(context.stdout, "drain");
}

/** Whether standard output is a screen, on which what was written can be written over. */
export function isTerminal({ stdout }: CliContext): boolean {
  return "isTTY" in stdout && stdout.isTTY === true;
}

/** Writes a line to standard error. */
export function note(context: CliContext, line: string): void {
  context.stderr.write(`${safeText(line)}\n`);
}

const colourCode = { red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** The text in a colour, where the terminal has any. */
export function paint(context: CliContext, colour: keyof typeof colourCode, text: string): string {
  return context.colour ? `\u001B[${colourCode[colour]}m${text}\u001B[0m` : text;
}
