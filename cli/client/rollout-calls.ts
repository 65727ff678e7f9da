import type {
  GetRolloutResponse,
  ListRolloutsResponse,
  Rollout,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { AdminClient } from "./admin-client.ts";

const pageSizeMax = 100;

/** By its full name; where that is empty the one under way, or else the newest. */
export async function getRollout(client: AdminClient, name: string): Promise<Rollout> {
  const { rollout } = await client.unary<GetRolloutResponse>((...tail) => client.rollout.getRollout({ name }, ...tail));
  if (rollout === undefined) throw new CliFailure(exitCode.failed, "the answer has no rollout");
  return rollout;
}

/** The newest rollouts, as many as there are up to the limit. */
export async function newestRollouts(client: AdminClient, limit: number): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  let pageToken = "";
  while (rollouts.length < limit) {
    const pageSize = Math.min(pageSizeMax, limit - rollouts.length);
    const page = await client.unary<ListRolloutsResponse>((...tail) =>
      client.rollout.listRollouts({ pageSize, pageToken }, ...tail),
    );
    for (const rollout of page.rollouts) rollouts.push(rollout);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return rollouts.slice(0, limit);
}
