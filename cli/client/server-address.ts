import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";

/** Checks `host:port`; the host is a name, an IPv4 address, or an IPv6 address between brackets. */
export function parseServerAddress(text: string): string {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[1] ?? 0);
  if (match === null || port < 1 || port > 65_535)
    throw new CliFailure(exitCode.usage, `--server must be HOST:PORT, such as 127.0.0.1:7700, not ${text}`);
  return text;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const timeoutMaxMs = 60 * 60 * 1000;

/** `30s`, `500ms`, `2m`; at most an hour. */
export function parseTimeoutMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const timeoutMs = Number(match?.[1]) * (unitMs[match?.[2] ?? ""] ?? Number.NaN);
  if (!(timeoutMs >= 1 && timeoutMs <= timeoutMaxMs))
    throw new CliFailure(exitCode.usage, `--timeout must be a time such as 30s, 500ms or 2m, at most 60m, not ${text}`);
  return timeoutMs;
}
