import { InvalidArgumentError, Option } from "commander";
import { parseSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { EngineWish } from "../../dataplane/engine/choose-engine.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** Ports that are free to choose are written as 0 in tests. */
export function addressOption(flag: string, description: string, fallback: string): Option {
  return new Option(`${flag} <ip:port>`, description).default(fallback).argParser((text: string): string => {
    if (listenAddress(text) === undefined) throw new InvalidArgumentError("an IP address and port: 127.0.0.1:7700");
    return text;
  });
}

/** The same as `parseSocketAddress`, with port 0 for a free one. */
function listenAddress(text: string): SocketAddress | undefined {
  const free = text.endsWith(":0");
  const parsed = parseSocketAddress(free ? `${text.slice(0, -1)}1` : text);
  return free && parsed !== undefined ? (`${parsed.slice(0, -1)}0` as SocketAddress) : parsed;
}

/**
 * A listen address that came through {@link addressOption}. What is bound beyond this machine without TLS can be read
 * and changed by whoever reaches it, so it takes a flag that says so.
 */
export function checkedAddress(text: string, what: string, insecure: boolean): SocketAddress {
  const address = listenAddress(text);
  if (address === undefined) throw new CliFailure(exitCode.usage, `${what}: ${text} is no IP address and port`);
  const { host } = splitSocketAddress(address);
  if (insecure || host === "::1" || host.startsWith("127.")) return address;
  throw new CliFailure(
    exitCode.usage,
    `${what}: ${text} is not a loopback address, and there is no TLS yet; --allow-insecure-bind opens it all the same`,
  );
}

export const insecureOption = new Option(
  "--allow-insecure-bind",
  "let the admin API and the metrics be reached from other machines, in clear and without a password",
);

export const logLevelOption = new Option("--log-level <level>", "what is logged, as JSON lines on standard error")
  .choices(["trace", "debug", "info", "warn", "error", "silent"])
  .default("info");

export const accessLogOption = new Option("--access-log <file>", "one JSON line per connection; - is standard output");

/** `--label k=v`, as often as wanted. */
export const labelOption = new Option("--label <key=value>", "a label of the node; may be repeated")
  .default({}, "none")
  .argParser((text: string, labels: Record<string, string>): Record<string, string> => {
    const at = text.indexOf("=");
    if (at < 1) throw new InvalidArgumentError("a label is key=value");
    return { ...labels, [text.slice(0, at)]: text.slice(at + 1) };
  });

export const engineOption = new Option(
  "--engine <engine>",
  "what moves the bytes: native where it was built, or portable",
)
  .choices(["auto", "native", "portable"])
  .default("auto");

export const engineThreadsOption = new Option(
  "--engine-threads <count>",
  "threads of the native engine (default: one per core)",
).argParser((text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 64) throw new InvalidArgumentError("1 to 64");
  return count;
});

/** The options that choose an engine, as commander gives them. */
export interface EngineOptions {
  readonly engine: EngineWish;
  readonly engineThreads?: number;
}

export const nodeIdOption = new Option("--id <id>", "the node's id, unique in the fleet").argParser((text: string) => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text))
    throw new InvalidArgumentError("1 to 128 of A-Z a-z 0-9 . _ -, a letter or digit first");
  return text;
});

export const regionOption = new Option("--region <region>", "where the node stands").default("");

export const emergencyTokenFileOption = new Option(
  "--emergency-token-file <file>",
  "allow emergency releases to whoever has the token in this file (at least 32 characters, as `openssl rand -hex 16` makes; mode 600)",
);
