import type { CommitInfo } from "../../proto/gen/switchyard/config/v1/commits.ts";
import type { ListCommitsResponse } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { AdminClient } from "./admin-client.ts";

const pageSizeMax = 1000;

/** The newest commits, newest first, as many as there are up to the limit. */
export async function newestCommits(client: AdminClient, limit: number): Promise<CommitInfo[]> {
  const commits: CommitInfo[] = [];
  let pageToken = "";
  while (commits.length < limit) {
    const pageSize = Math.min(pageSizeMax, limit - commits.length);
    const page = await client.unary<ListCommitsResponse>((...tail) =>
      client.config.listCommits({ pageSize, pageToken }, ...tail),
    );
    for (const commit of page.commits) commits.push(commit);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return commits.slice(0, limit);
}
