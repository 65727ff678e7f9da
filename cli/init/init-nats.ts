import { serverWarnings } from "../../controlplane/nats/server-version.ts";
import { ensureMirrors } from "../../controlplane/nats/region-mirrors.ts";
import { ensureStreams, type EnsuredStream } from "../../controlplane/nats/streams.ts";
import type { LogNames } from "../../model/log-names.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, note, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { safeText } from "../output/safe-text.ts";
import { connectedNats, type Connection, namesOf } from "./connected-nats.ts";

export interface InitNatsOptions {
  readonly nats: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly region?: string;
  readonly hubDomain?: string;
}

export async function initNats(context: CliContext, options: InitNatsOptions): Promise<void> {
  const { region, hubDomain } = options;
  if ((region === undefined) !== (hubDomain === undefined))
    throw new CliFailure(exitCode.usage, "--region and --hub-domain go together");
  const names = namesOf(options.namespace);
  const connection = await connectedNats(options.nats, "switchyard init");
  try {
    const version = connection.info?.version ?? "";
    const ensured = await made(connection, names, options);
    await print(context, ensured.map(lineOf).join(""));
    for (const warning of serverWarnings(version, options.replicas)) note(context, `warning: ${warning}`);
  } finally {
    await connection.close();
  }
}

async function made(
  connection: Connection,
  names: LogNames,
  { region, hubDomain, replicas }: InitNatsOptions,
): Promise<readonly EnsuredStream[]> {
  try {
    if (hubDomain === undefined) return await ensureStreams(connection, names, { replicas });
    return await ensureMirrors(connection, names, { region: region ?? "", hubDomain, replicas });
  } catch (error) {
    throw new CliFailure(exitCode.failed, error instanceof Error ? error.message : String(error));
  }
}

function lineOf({ stream, outcome, settings }: EnsuredStream): string {
  switch (outcome) {
    case "made":
      return `made       ${stream}\n`;
    case "made anew":
      return `made anew  ${stream}: it mirrored a stream that is no more\n`;
    case "changed":
      return `changed    ${stream}: ${safeText(settings.join(", "))}\n`;
    case "unchanged":
      return `unchanged  ${stream}\n`;
  }
}
