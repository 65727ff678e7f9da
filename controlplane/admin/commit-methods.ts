import { Commit, type CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type * as api from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { SealedCommit } from "../../model/commit.ts";
import { isConfigEvent } from "../../model/event.ts";
import { openCommit } from "../../model/wire/commit.ts";
import { releaseSentence } from "../decide/release-sentence.ts";
import { type EventLog, LogCorrupt } from "../log/event-log.ts";
import { knownRevision } from "./known-revision.ts";
import { pageSize } from "./listing.ts";
import { Refused } from "./refused.ts";

/** Commits read from the log at once: whole ones, however large, of which only the outlines are kept. */
const readBatch = 16;

/** Commits, newest first; the page token is the revision below which the next page begins. */
export async function listCommits(log: EventLog, request: api.ListCommitsRequest): Promise<api.ListCommitsResponse> {
  const size = pageSize(request.pageSize, 50);
  const head = await log.head();
  const last = request.pageToken === "" ? head.revision : parseToken(request.pageToken, head.revision) - 1;
  const first = Math.max(0, last - size);
  const commits: CommitInfo[] = [];
  for (let after = first; after < last; after += readBatch)
    for (const sealed of await log.read(after, Math.min(readBatch, last - after))) commits.push(commitInfo(sealed));
  return { commits: commits.reverse(), nextPageToken: first === 0 ? "" : String(first + 1) };
}

function parseToken(token: string, headRevision: number): number {
  if (/^[1-9]\d{0,14}$/.test(token) && Number(token) <= headRevision) return Number(token);
  throw new Refused("INVALID_PAGE_TOKEN", `${JSON.stringify(token.slice(0, 80))} is no page token of this list`);
}

export async function getCommit(log: EventLog, request: api.GetCommitRequest): Promise<api.GetCommitResponse> {
  const revision = knownRevision(request.revision, await log.head(), 1);
  const [sealed] = await log.read(revision - 1, 1);
  if (sealed === undefined) throw new LogCorrupt(`commit ${revision} can't be read`);
  return { commit: Commit.decode(sealed.body), hash: sealed.hash };
}

function commitInfo(sealed: SealedCommit): CommitInfo {
  const { epoch, revision, requestId, author, reason, time, events } = Commit.decode(sealed.body);
  const releases = events.some(isRelease) ? releaseSentences(sealed) : [];
  const eventCount = events.length;
  return { epoch, revision, hash: sealed.hash, requestId, author, reason, time, eventCount, releases };
}

function isRelease({ fact }: Commit["events"][number]): boolean {
  return fact !== undefined && fact.$case !== "created" && fact.$case !== "updated" && fact.$case !== "deleted";
}

function releaseSentences(sealed: SealedCommit): string[] {
  const opened = openCommit(sealed);
  // Written by newer software: the history has its line all the same.
  if ("fault" in opened) return [`what it did to a rollout can't be read: ${opened.detail}`];
  return opened.commit.events.flatMap((event) => (isConfigEvent(event) ? [] : [releaseSentence(event)]));
}
