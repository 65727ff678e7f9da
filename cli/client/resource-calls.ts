import type {
  DeleteFarmResponse,
  DeleteListenerResponse,
  DeleteRolloutPolicyResponse,
  DeleteRouteResponse,
  DeleteServerResponse,
  GetFarmResponse,
  GetListenerResponse,
  GetRolloutPolicyResponse,
  GetRouteResponse,
  GetServerResponse,
  ListFarmsResponse,
  ListListenersResponse,
  ListRolloutPoliciesResponse,
  ListRoutesResponse,
  ListServersResponse,
  Write,
} from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Resource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import type { AdminClient } from "./admin-client.ts";

const pageSize = 1000;

interface Page {
  readonly kinds: readonly NonNullable<Resource["kind"]>[];
  readonly nextPageToken: string;
}

interface ResourceCalls {
  readonly get: (client: AdminClient, name: string) => Promise<Resource["kind"]>;
  /** The parent is read for routes and servers only. */
  readonly page: (client: AdminClient, parent: string, pageToken: string) => Promise<Page>;
  /** Answers the revision of the commit. */
  readonly delete: (client: AdminClient, name: string, force: boolean, write: Write) => Promise<bigint>;
}

const calls: Record<ResourceKind, ResourceCalls> = {
  listener: {
    async get(client, name) {
      const { listener } = await client.unary<GetListenerResponse>((...tail) =>
        client.config.getListener({ name }, ...tail),
      );
      return listener && { $case: "listener", value: listener };
    },
    async page(client, _parent, pageToken) {
      const { listeners, nextPageToken } = await client.unary<ListListenersResponse>((...tail) =>
        client.config.listListeners({ pageSize, pageToken }, ...tail),
      );
      return { kinds: listeners.map((value) => ({ $case: "listener", value })), nextPageToken };
    },
    async delete(client, name, force, write) {
      const { revision } = await client.unary<DeleteListenerResponse>((...tail) =>
        client.config.deleteListener({ name, force, write, etag: "" }, ...tail),
      );
      return revision;
    },
  },
  route: {
    async get(client, name) {
      const { route } = await client.unary<GetRouteResponse>((...tail) => client.config.getRoute({ name }, ...tail));
      return route && { $case: "route", value: route };
    },
    async page(client, parent, pageToken) {
      const { routes, nextPageToken } = await client.unary<ListRoutesResponse>((...tail) =>
        client.config.listRoutes({ parent, pageSize, pageToken }, ...tail),
      );
      return { kinds: routes.map((value) => ({ $case: "route", value })), nextPageToken };
    },
    async delete(client, name, _force, write) {
      const { revision } = await client.unary<DeleteRouteResponse>((...tail) =>
        client.config.deleteRoute({ name, write, etag: "" }, ...tail),
      );
      return revision;
    },
  },
  farm: {
    async get(client, name) {
      const { farm } = await client.unary<GetFarmResponse>((...tail) => client.config.getFarm({ name }, ...tail));
      return farm && { $case: "farm", value: farm };
    },
    async page(client, _parent, pageToken) {
      const { farms, nextPageToken } = await client.unary<ListFarmsResponse>((...tail) =>
        client.config.listFarms({ pageSize, pageToken }, ...tail),
      );
      return { kinds: farms.map((value) => ({ $case: "farm", value })), nextPageToken };
    },
    async delete(client, name, force, write) {
      const { revision } = await client.unary<DeleteFarmResponse>((...tail) =>
        client.config.deleteFarm({ name, force, write, etag: "" }, ...tail),
      );
      return revision;
    },
  },
  server: {
    async get(client, name) {
      const { server } = await client.unary<GetServerResponse>((...tail) => client.config.getServer({ name }, ...tail));
      return server && { $case: "server", value: server };
    },
    async page(client, parent, pageToken) {
      const { servers, nextPageToken } = await client.unary<ListServersResponse>((...tail) =>
        client.config.listServers({ parent, pageSize, pageToken }, ...tail),
      );
      return { kinds: servers.map((value) => ({ $case: "server", value })), nextPageToken };
    },
    async delete(client, name, _force, write) {
      const { revision } = await client.unary<DeleteServerResponse>((...tail) =>
        client.config.deleteServer({ name, write, etag: "" }, ...tail),
      );
      return revision;
    },
  },
  rolloutPolicy: {
    async get(client, name) {
      const { rolloutPolicy } = await client.unary<GetRolloutPolicyResponse>((...tail) =>
        client.config.getRolloutPolicy({ name }, ...tail),
      );
      return rolloutPolicy && { $case: "rolloutPolicy", value: rolloutPolicy };
    },
    async page(client, _parent, pageToken) {
      const { rolloutPolicies, nextPageToken } = await client.unary<ListRolloutPoliciesResponse>((...tail) =>
        client.config.listRolloutPolicies({ pageSize, pageToken }, ...tail),
      );
      return { kinds: rolloutPolicies.map((value) => ({ $case: "rolloutPolicy", value })), nextPageToken };
    },
    async delete(client, name, _force, write) {
      const { revision } = await client.unary<DeleteRolloutPolicyResponse>((...tail) =>
        client.config.deleteRolloutPolicy({ name, write, etag: "" }, ...tail),
      );
      return revision;
    },
  },
};

export async function getResource(client: AdminClient, kind: ResourceKind, name: string): Promise<Resource> {
  return { kind: await calls[kind].get(client, name) };
}

/** Every resource of a kind, all pages of one revision; `parent` narrows routes and servers. */
export async function listResources(client: AdminClient, kind: ResourceKind, parent: string): Promise<Resource[]> {
  const resources: Resource[] = [];
  let pageToken = "";
  do {
    const page = await calls[kind].page(client, parent, pageToken);
    for (const one of page.kinds) resources.push({ kind: one });
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return resources;
}

export function deleteResource(
  client: AdminClient,
  kind: ResourceKind,
  name: string,
  force: boolean,
  write: Write,
): Promise<bigint> {
  return calls[kind].delete(client, name, force, write);
}
