import type { Configuration } from "../../model/configuration.ts";
import type { ResourceKind } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";
import type { EventLog } from "../log/event-log.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { configurationAt } from "../state/log-follower.ts";
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

  /** `prefix` narrows to names that begin with it; empty for all. */
  async page(kind: ResourceKind, prefix: string, size: number, token: string): Promise<Page> {
    const at = token === "" ? { revision: this.#live.position.revision, offset: 0 } : parseToken(token);
    const { resources, revision } = await this.#listing(kind, prefix, at.revision);
    const end = at.offset + size;
    const nextPageToken = end < resources.length ? `${revision}.${end}` : "";
    return { resources: resources.slice(at.offset, end), nextPageToken, revision };
  }

  async #listing(kind: ResourceKind, prefix: string, revision: number): Promise<Listing> {
    const key = `${revision} ${kind} ${prefix}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const now = this.#live.position.revision;
    if (revision > now) throw new Refused("INVALID_PAGE_TOKEN", `the log has no revision ${revision}`);
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

function sorted(configuration: Configuration, kind: ResourceKind, prefix: string): readonly Resource[] {
  const all: Iterable<Resource> = configuration[`${kind}s`].values();
  const resources = Array.from(all).filter((resource) => resource.name.startsWith(prefix));
  return resources.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function parseToken(token: string): { readonly revision: number; readonly offset: number } {
  const match = /^(\d{1,15})\.(\d{1,9})$/.exec(token);
  if (match === null) throw new Refused("INVALID_PAGE_TOKEN", `${JSON.stringify(token.slice(0, 80))} is no page token`);
  return { revision: Number(match[1]), offset: Number(match[2]) };
}

/** AIP-158: 0 means the default, more than the maximum means the maximum, less than 0 is refused. */
export function pageSize(requested: number, fallback: number): number {
  if (requested < 0) {
    const description = `${requested} is less than 0`;
    throw Refused.by("INVALID_FIELD", [{ field: "page_size", reason: "out_of_range", description }]);
  }
  return requested === 0 ? fallback : Math.min(requested, 1000);
}
