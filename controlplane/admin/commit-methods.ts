import { Commit, type CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type * as api from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { SealedCommit } from "../../model/commit.ts";
import type { EventLog } from "../log/event-log.ts";
import { pageSize } from "./listing.ts";
import { Refused } from "./refused.ts";

/** Commits, newest first; the page token is the revision below which the next page begins. */
export async function listCommits(log: EventLog, request: api.ListCommitsRequest): Promise<api.ListCommitsResponse> {
  const size = pageSize(request.pageSize, 50);
  const { pageToken } = request;
  if (pageToken !== "" && !/^\d{1,15}$/.test(pageToken))
    throw new Refused("INVALID_PAGE_TOKEN", `${JSON.stringify(pageToken.slice(0, 80))} is no page token`);
  const last = pageToken === "" ? (await log.head()).revision : Number(pageToken) - 1;
  const first = Math.max(0, last - size);
  const commits = await log.read(first, last - first);
  return { commits: commits.map(commitInfo).reverse(), nextPageToken: first === 0 ? "" : String(first + 1) };
}

export async function getCommit(log: EventLog, request: api.GetCommitRequest): Promise<api.GetCommitResponse> {
  const revision = Number(request.revision);
  const [sealed] = revision < 1 ? [] : await log.read(revision - 1, 1);
  if (sealed !== undefined) return { commit: Commit.decode(sealed.body), hash: sealed.hash };
  const description = `the log has no revision ${revision}`;
  throw Refused.by("NOT_FOUND", [{ field: "revision", reason: "unknown_reference", description }]);
}

function commitInfo({ body, hash }: SealedCommit): CommitInfo {
  const { epoch, revision, requestId, author, reason, time, events } = Commit.decode(body);
  return { epoch, revision, hash, requestId, author, reason, time, eventCount: events.length };
}
