import { status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { Command } from "commander";
import { CliFailure } from "../cli-failure.ts";
import type { CliContext } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { AdminClient } from "./admin-client.ts";
import type { FieldViolation, Refusal } from "./refusal.ts";
import { isServiceError, readRefusal } from "./refusal.ts";
import { parseServerAddress, parseTimeoutMs } from "./server-address.ts";

export const serverFallback = "127.0.0.1:7700";
export const timeoutFallback = "30s";

export interface CallSite {
  /** What to say of a violation, for a request that has more fields than the command line shows. */
  readonly placeViolation?: (violation: FieldViolation) => string;
  /** For a call that changes something: the id under which it may be made again. */
  readonly requestId?: string;
  /** In place of `--timeout`. */
  readonly timeoutMs?: number;
}

/** The control plane's address that this command line means. */
export function serverOf(command: Command, context: CliContext): string {
  const { server } = command.optsWithGlobals<{ server?: string }>();
  return parseServerAddress(server ?? context.defaultServer ?? serverFallback);
}

/** Connects, hands the client to the verb, and closes it. What the server refuses becomes a {@link CliFailure}. */
export async function withClient<Result>(
  command: Command,
  context: CliContext,
  use: (client: AdminClient) => Promise<Result>,
  site: CallSite = {},
): Promise<Result> {
  const server = serverOf(command, context);
  const { timeout } = command.optsWithGlobals<{ timeout?: string }>();
  const client = new AdminClient(server, site.timeoutMs ?? parseTimeoutMs(timeout ?? timeoutFallback), context.signal);
  try {
    return await use(client);
  } catch (error) {
    if (context.signal.aborted) throw new CliFailure(exitCode.interrupted, "interrupted");
    throw isServiceError(error) ? failureOf(error, server, site) : error;
  } finally {
    client.close();
  }
}

function failureOf(error: ServiceError, server: string, site: CallSite): CliFailure {
  const unsure =
    site.requestId === undefined
      ? undefined
      : `it may or may not have been done; the same command with --request-id ${site.requestId} finds out safely`;
  const refusal = readRefusal(error);
  // With a reason of the control plane's own, it has answered: its log is what is not available.
  if (error.code === status.UNAVAILABLE && refusal.reason === "") {
    const cause = neverConnected.find(([sign]) => error.details.includes(sign))?.[1];
    const summary = `can't reach the control plane at ${server}: ${cause ?? error.details}`;
    const hint = cause === undefined ? unsure : undefined;
    return new CliFailure(exitCode.unreachable, `${summary}\n${hint ?? reachHint}`);
  }
  if (error.code === status.DEADLINE_EXCEEDED) {
    const summary = `the control plane at ${server} did not answer in time`;
    return new CliFailure(exitCode.unreachable, `${summary}\n${unsure ?? "--timeout gives it longer"}`);
  }
  return refused(error, refusal, server, site);
}

const reachHint = "`switchyard up` starts a control plane here; --server HOST:PORT names another";

/** Faults after which the request certainly has not been sent. */
const neverConnected: readonly (readonly [sign: string, cause: string])[] = [
  ["ECONNREFUSED", "connection refused"],
  ["EHOSTUNREACH", "no route to the host"],
  ["ENETUNREACH", "no route to the network"],
  ["ETIMEDOUT", "connection timed out"],
  ["Name resolution failed", "no such host"],
];

function refused(error: ServiceError, refusal: Refusal, server: string, site: CallSite): CliFailure {
  if (error.code === status.UNIMPLEMENTED)
    return new CliFailure(exitCode.failed, `${server} does not know this call: is it a Switchyard control plane?`);
  const details = refusal.violations.map(site.placeViolation ?? (({ description }) => description));
  for (const [key, value] of refusal.metadata) details.push(`${key}: ${value}`);
  const code = refusal.reason === "" ? (status[error.code] ?? `code ${error.code}`) : refusal.reason;
  const [only] = details;
  if (site.placeViolation === undefined && details.length === 1 && only !== undefined)
    return new CliFailure(exitCode.failed, `refused: ${only} (${code})`);
  // With violations, the message only says the first of them again.
  const { length } = refusal.violations;
  const count = length === 1 ? "1 error" : `${length} errors`;
  const said = length === 0 ? refusal.message : `${count}; nothing was changed`;
  return new CliFailure(exitCode.failed, `refused: ${said} (${code})`, details);
}
