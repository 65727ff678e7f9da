import type { ExitCode } from "./exit-code.ts";

/** Ends a verb: the block for standard error, ready to print but for its first word, and the exit code. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly code: ExitCode;
  /** Lines that stand before the summary, in the form `file:line:column: text` where there is a place. */
  readonly details: readonly string[];

  /** The summary is one sentence without a full stop; it is printed after `switchyard: `. */
  constructor(code: ExitCode, summary: string, details: readonly string[] = []) {
    super(summary);
    this.code = code;
    this.details = details;
  }
}
