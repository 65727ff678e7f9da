import type { Configuration } from "../../model/configuration.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";
import type { EventLog } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { configurationAt } from "../state/log-follower.ts";
import { countForMessage } from "./message-load.ts";
import { Refused } from "./refused.ts";

/** Sorted listings that are kept, so that the next page need not sort a million names again. */
const listingsKept = 8;

interface Listing {
  readonly revision: number;
  readonly resources: readonly Resource[];
}

export interface Page {
  readonly resources: readonly Resource[];
  readonly nextPageToken: string;
  readonly revision: number;
}

/** Lists resources by name, in pages that all show the revision of the first (AIP-158). */
export class Listings {
  readonly #log: EventLog;
  readonly #live: LiveConfiguration;
  readonly #kept = new Map<string, Listing>();

  constructor(log: EventLog, live: LiveConfiguration) {
    this.#log = log;
    this.#live = live;
  }

  /**
   * `prefix` narrows to names that begin with it; empty for all. A page holds fewer than `size` where they would make a
   * large message. Its token is good for the same kind and prefix only.
   */
  async page(kind: ResourceKind, prefix: string, size: number, token: string): Promise<Page> {
    const list = `${kind} ${prefix}`;
    const at = token === "" ? { revision: this.#live.position.revision, offset: 0 } : parseToken(token, list);
    const { resources, revision } = await this.#listing(kind, prefix, at.revision);
    const end = at.offset + countForMessage(resources, at.offset, size);
    const nextPageToken = end < resources.length ? tokenOf(revision, end, list) : "";
    return { resources: resources.slice(at.offset, end), nextPageToken, revision };
  }

  async #listing(kind: ResourceKind, prefix: string, revision: number): Promise<Listing> {
    const key = `${revision} ${kind} ${prefix}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const now = this.#live.position.revision;
    if (revision > now) throw noPageToken(`of revision ${revision}, which the log does not have`);
    const configuration = revision === now ? this.#live.configuration : await configurationAt(this.#log, revision);
    const listing = { revision, resources: sorted(configuration, kind, prefix) };
    this.#kept.set(key, listing);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= listingsKept) break;
      this.#kept.delete(oldest);
    }
    return listing;
  }
}

/** Where a configuration has the resources of a kind. */
const collections = {
  listener: "listeners",
  route: "routes",
  farm: "farms",
  server: "servers",
  rolloutPolicy: "rolloutPolicies",
} as const;

function sorted(configuration: Configuration, kind: ResourceKind, prefix: string): readonly Resource[] {
  const all: Iterable<Resource> = configuration[collections[kind]].values();
  const resources = Array.from(all).filter((resource) => resource.name.startsWith(prefix));
  return resources.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Encoded, because clients are not to make their own. */
function tokenOf(revision: number, offset: number, list: string): string {
  return Buffer.from(`${revision}.${offset} ${list}`).toString("base64url");
}

function parseToken(token: string, list: string): { readonly revision: number; readonly offset: number } {
  const match = /^(\d{1,15})\.(\d{1,9}) (.*)$/.exec(Buffer.from(token, "base64url").toString());
  if (match === null) throw noPageToken(JSON.stringify(token.slice(0, 80)));
  if (match[3] !== list) throw noPageToken(`it is one of another list: ${JSON.stringify(match[3]?.slice(0, 80))}`);
  return { revision: Number(match[1]), offset: Number(match[2]) };
}

function noPageToken(what: string): Refused {
  return new Refused("INVALID_PAGE_TOKEN", `no page token of this list: ${what}`);
}

/** AIP-158: 0 means the default, more than the maximum means the maximum, less than 0 is refused. */
export function pageSize(requested: number, fallback: number): number {
  if (requested < 0) {
    const description = `${requested} is less than 0`;
    throw Refused.by("INVALID_FIELD", [{ field: "page_size", reason: "out_of_range", description }]);
  }
  return requested === 0 ? fallback : Math.min(requested, 1000);
}
