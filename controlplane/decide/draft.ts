import type { Change, Configuration } from "../../model/configuration.ts";
import { canonicalText } from "../../model/resource-fields.ts";
import type { ListenerName, ResourceName } from "../../model/resource-name.ts";
import type { Listener, Resource } from "../../model/resource.ts";

/** One entry of a draft. */
export interface DraftEntry {
  readonly before: Resource | null;
  readonly after: Resource | null;
  /** Where the wish stands in the request; empty for what the command only implies. */
  readonly path: string;
}

/** The configuration as it would be: what is stored, and the entries that a command puts on top. */
export class Draft {
  readonly #base: Configuration;
  readonly #entries = new Map<ResourceName, DraftEntry>();

  constructor(base: Configuration) {
    this.#base = base;
  }

  /** Entries that change something. */
  get entries(): ReadonlyMap<ResourceName, DraftEntry> {
    return this.#entries;
  }

  stored(name: ResourceName): Resource | undefined {
    return this.#base.resource(name);
  }

  resource(name: ResourceName): Resource | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? this.#base.resource(name) : (entry.after ?? undefined);
  }

  /** What is so already makes no entry. */
  put(after: Resource, path: string): void {
    const before = this.stored(after.name) ?? null;
    if (before !== null && canonicalText(before) === canonicalText(after)) return;
    this.#entries.set(after.name, { before, after, path });
  }

  remove(name: ResourceName, path: string): void {
    const before = this.stored(name);
    if (before !== undefined) this.#entries.set(name, { before, after: null, path });
  }

  *listeners(): Generator<Listener> {
    for (const listener of this.#base.listeners.values()) if (!this.#entries.has(listener.name)) yield listener;
    for (const { after } of this.#entries.values()) if (after?.kind === "listener") yield after;
  }

  /** Whether an entry touches the listener. */
  touches(name: ListenerName): boolean {
    return this.#entries.has(name);
  }

  /** The changes: what is pointed at before what points, and the other way round for deletions. */
  changes(): readonly Change[] {
    const order = { farm: 0, server: 1, listener: 2, route: 3, rolloutPolicy: 4 } as const;
    const rank = (entry: DraftEntry): number =>
      entry.after === null ? 9 - order[(entry.before as Resource).kind] : order[entry.after.kind];
    return [...this.#entries.values()].sort((left, right) => rank(left) - rank(right));
  }
}
