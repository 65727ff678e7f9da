import type { GetNodeResponse, ListNodesResponse, Node } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import type { AdminClient } from "./admin-client.ts";

/** Every node that the control plane knows, and the log's revision as it knows it. */
export async function listNodes(
  client: AdminClient,
): Promise<{ readonly nodes: readonly Node[]; readonly revision: bigint }> {
  const nodes: Node[] = [];
  let pageToken = "";
  let revision: bigint;
  do {
    const page = await client.unary<ListNodesResponse>((...tail) =>
      client.fleet.listNodes({ pageSize: 1000, pageToken }, ...tail),
    );
    for (const node of page.nodes) nodes.push(node);
    ({ nextPageToken: pageToken, revision } = page);
  } while (pageToken !== "");
  return { nodes, revision };
}

export async function getNode(client: AdminClient, name: string): Promise<Node> {
  const { node } = await client.unary<GetNodeResponse>((...tail) => client.fleet.getNode({ name }, ...tail));
  if (node === undefined) throw new CliFailure(exitCode.failed, `the answer for ${name} has no node`);
  return node;
}
