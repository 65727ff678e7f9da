import type {
  Directive,
  DirectiveResult,
  DirectNodeResponse,
  FarmStatus,
  GetFleetResponse,
  ListFarmsResponse,
  ListServersResponse,
  ServerStatus,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { AdminClient } from "./admin-client.ts";

export function getFleet(client: AdminClient): Promise<GetFleetResponse> {
  return client.unary<GetFleetResponse>((...tail) => client.fleet.getFleet({}, ...tail));
}

/** The configured servers as the nodes see them, by name; of one farm, or of all where it is empty. */
export async function listServerStatuses(client: AdminClient, farm: string): Promise<ServerStatus[]> {
  const servers: ServerStatus[] = [];
  let pageToken = "";
  do {
    const page = await client.unary<ListServersResponse>((...tail) =>
      client.fleet.listServers({ farm, pageSize: 1000, pageToken }, ...tail),
    );
    for (const server of page.servers) servers.push(server);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return servers;
}

/** The configured farms as the nodes see them, by name; one of them, or all where it is empty. */
export async function listFarmStatuses(client: AdminClient, farm: string): Promise<FarmStatus[]> {
  const farms: FarmStatus[] = [];
  let pageToken = "";
  do {
    const page = await client.unary<ListFarmsResponse>((...tail) =>
      client.fleet.listFarms({ farm, pageSize: 1000, pageToken }, ...tail),
    );
    for (const one of page.farms) farms.push(one);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return farms;
}

/** Has a node do something. A node that refuses is a {@link CliFailure} with its own sentence. */
export async function directNode(
  client: AdminClient,
  name: string,
  action: NonNullable<Directive["action"]>,
): Promise<DirectiveResult> {
  const directive = { id: "", action };
  const { result } = await client.unary<DirectNodeResponse>((...tail) =>
    client.fleet.directNode({ name, directive }, ...tail),
  );
  if (result === undefined) throw new CliFailure(exitCode.failed, `the answer for ${name} has no result`);
  if (result.refused !== "") throw new CliFailure(exitCode.failed, `${name} refused: ${result.refused}`);
  return result;
}
