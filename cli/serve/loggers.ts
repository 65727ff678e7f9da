import pino, { type DestinationStream, type Logger } from "pino";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** The process's own log: JSON lines on standard error. */
export function processLogger(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** An access log, and the way to write out and close what it holds. */
export interface AccessLog {
  readonly logger: Logger;
  close(): Promise<void>;
}

/** The access log's file, opened for appending. Lines are written in batches: a slow disk never holds up a connection. */
export async function openAccessLog(file: string): Promise<AccessLog> {
  const destination = pino.destination({ dest: file === "-" ? 1 : file, sync: false, minLength: 4096, mkdir: false });
  await new Promise<void>((resolve, reject) => {
    destination.once("ready", () => {
      resolve();
    });
    destination.once("error", (error: Error) => {
      reject(new CliFailure(exitCode.failed, `the access log can't be written: ${error.message}`));
    });
  });
  const flusher = setInterval(() => destination.flush(), 1000);
  flusher.unref();
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination as DestinationStream);
  return {
    logger,
    close: () =>
      new Promise((resolve) => {
        clearInterval(flusher);
        destination.once("close", resolve);
        destination.end();
      }),
  };
}
