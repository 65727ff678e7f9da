import { Command, CommanderError } from "commander";
import { CliFailure } from "./cli-failure.ts";
import { serverFallback, timeoutFallback } from "./client/with-client.ts";
import type { CliContext, Verb } from "./context.ts";
import { note } from "./context.ts";
import type { ExitCode } from "./exit-code.ts";
import { exitCode, exitCodeHelp } from "./exit-code.ts";
import { softwareVersion } from "./package-root.ts";

/** What `main.ts` knows of the process; `runCli` adds the rest of the context. */
export type CliSurroundings = Omit<CliContext, "finish">;

/**
 * Runs one command line and answers the exit code. Prints every failure that is meant for the user; anything else is a
 * fault of ours, and is thrown.
 */
export async function runCli(
  words: readonly string[],
  verbs: readonly Verb[],
  surroundings: CliSurroundings,
): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok;
  const context: CliContext = {
    ...surroundings,
    finish(final) {
      code = final;
    },
  };
  try {
    const program = createProgram(context);
    const [first] = program.parseOptions([...words]).operands;
    const named = verbs.filter(({ name }) => name === first);
    for (const register of await Promise.all((named.length > 0 ? named : verbs).map(({ load }) => load())))
      register(program, context);
    await program.parseAsync(words, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    if (!(error instanceof CliFailure)) throw error;
    for (const line of error.details) note(context, line);
    for (const [index, line] of error.message.split("\n").entries())
      note(context, index === 0 ? `switchyard: ${line}` : `  ${line}`);
    return error.code;
  }
}

function createProgram(context: CliContext): Command {
  return new Command("switchyard")
    .description("Routes TLS connections by the name that they announce, without opening them.")
    .usage("[options] <verb> ...")
    .version(softwareVersion, "--version", "print the version")
    .option("--server <host:port>", `the control plane (default: SWITCHYARD_SERVER, else ${serverFallback})`)
    .option("--timeout <time>", `how long to wait for an answer: 500ms, 2m (default: ${timeoutFallback})`)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text.replace(/^error: /, "switchyard: ")),
      getOutHelpWidth: () => 110,
      getErrHelpWidth: () => 110,
    })
    .showHelpAfterError("(--help shows how it is used)")
    .exitOverride()
    .addHelpText("after", `\n${exitCodeHelp}\n\nEach verb has an example: switchyard apply --help`);
}

/** The help text of a verb's examples: a command line, and what it does. */
export function examples(...lines: readonly (readonly [string, string])[]): string {
  const width = lines.reduce((longest, [line]) => Math.max(longest, line.length), 0);
  const shown = lines.map(([line, what]) => `  $ ${line.padEnd(width)}   ${what}`);
  return `\n${lines.length === 1 ? "Example" : "Examples"}:\n${shown.join("\n")}`;
}
