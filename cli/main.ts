import { userInfo } from "node:os";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { exitCode } from "./exit-code.ts";
import { runCli } from "./run-cli.ts";
import { verbs } from "./verbs.ts";

/** A reader that has seen enough (`| head`) is no failure; any other trouble with standard output is. */
function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCode.ok);
  process.stderr.write(`switchyard: can't write the output: ${error.message}\n`);
  process.exit(exitCode.failed);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the password file, as containers have: the control plane has its own default.
    return "";
  }
}

/** The first interrupt ends a verb in order; the second ends the process, whatever it is doing. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

process.stdout.on("error", endQuietlyOnBrokenPipe);
process.stderr.on("error", endQuietlyOnBrokenPipe);

const { env } = process;
// The library writes lines of its own to standard error; what matters of them comes back as errors, which we print.
if (env["GRPC_VERBOSITY"] === undefined) setLogVerbosity(logVerbosity.NONE);
try {
  process.exitCode = await runCli(process.argv.slice(2), verbs, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    defaultServer: env["SWITCHYARD_SERVER"],
    defaultAuthor: env["SWITCHYARD_AUTHOR"] ?? userName(),
    colour: process.stdout.isTTY && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb",
    signal: interruptSignal(),
  });
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`switchyard: a fault of its own: ${text}\n`);
  if (env["SWITCHYARD_DEBUG"] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else process.stderr.write("  SWITCHYARD_DEBUG=1 shows where\n");
  process.exitCode = exitCode.failed;
}
