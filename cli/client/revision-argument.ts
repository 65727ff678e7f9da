import type { GetCommitResponse, ListCommitsResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Commit } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { AdminClient } from "./admin-client.ts";

const uint64Max = 2n ** 64n - 1n;

/** A revision as users write it: `12`, or `head` for the last one. */
export function parseRevision(text: string): bigint | "head" {
  if (text === "head") return text;
  const revision = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (revision < 0n || revision > uint64Max)
    throw new CliFailure(exitCode.usage, `a revision is a whole number, or \`head\`, not ${text}`);
  return revision;
}

/** The last commit's revision; 0n before the first. */
export async function headRevision(client: AdminClient): Promise<bigint> {
  const { commits } = await client.unary<ListCommitsResponse>((...tail) =>
    client.config.listCommits({ pageSize: 1, pageToken: "" }, ...tail),
  );
  return commits[0]?.revision ?? 0n;
}

export async function resolveRevision(client: AdminClient, revision: bigint | "head"): Promise<bigint> {
  return revision === "head" ? headRevision(client) : revision;
}

export async function getCommit(
  client: AdminClient,
  revision: bigint,
): Promise<{ readonly commit: Commit; readonly hash: Uint8Array }> {
  const { commit, hash } = await client.unary<GetCommitResponse>((...tail) =>
    client.config.getCommit({ revision }, ...tail),
  );
  if (commit === undefined) throw new CliFailure(exitCode.failed, `the answer for revision ${revision} has no commit`);
  return { commit, hash };
}
