import { randomUUID } from "node:crypto";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Plan, Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Change_Verb } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { etagOf } from "../../model/digest.ts";
import { isFarmName, isListenerName, kindOfName, nameShape } from "../../model/resource-name.ts";
import type { ResourceKind, ResourceName } from "../../model/resource-name.ts";
import type { Resource } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";
import { parseResourceOf } from "../../model/wire/parse-resource.ts";
import { resourceToWire } from "../../model/wire/resource-to-wire.ts";
import type { Command } from "../decide/command.ts";
import type { Committed, CommandOrigin, Committer } from "../state/committer.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import type { PlanLine } from "../state/plan-line.ts";
import { mergeByMask } from "./field-mask.ts";
import { type Listings, pageSize } from "./listing.ts";
import { Refused } from "./refused.ts";

/** The message type of each kind. */
export interface WireOf {
  readonly listener: wire.Listener;
  readonly route: wire.Route;
  readonly farm: wire.Farm;
  readonly server: wire.Server;
}

type Kind = NonNullable<wire.Resource["kind"]>;

/** A stored resource, and the revision that holds it. */
export interface Stored<K extends ResourceKind> {
  readonly message: WireOf[K];
  readonly revision: bigint;
}

/** How often an update by mask is merged again because the stored resource changed meanwhile. */
const mergesMax = 8;

/** The standard methods (AIP-131 to 135), the same for every kind of resource. */
export class ResourceMethods {
  readonly #live: LiveConfiguration;
  readonly #committer: Committer;
  readonly #listings: Listings;

  constructor(live: LiveConfiguration, committer: Committer, listings: Listings) {
    this.#live = live;
    this.#committer = committer;
    this.#listings = listings;
  }

  async get<K extends ResourceKind>(kind: K, name: string): Promise<WireOf[K]> {
    await this.#live.catchUp();
    return messageOf<K>(this.#stored(kind, name));
  }

  async list<K extends ResourceKind>(
    kind: K,
    request: { readonly pageSize: number; readonly pageToken: string; readonly parent?: string },
  ): Promise<{ messages: WireOf[K][]; nextPageToken: string; revision: bigint }> {
    await this.#live.catchUp();
    const prefix = parentPrefix(kind, request.parent ?? "");
    const page = await this.#listings.page(kind, prefix, pageSize(request.pageSize, 100), request.pageToken);
    const messages = page.resources.map((resource) => messageOf<K>(resource));
    return { messages, nextPageToken: page.nextPageToken, revision: BigInt(page.revision) };
  }

  /** `bytes` is the encoded request, for its digest. */
  async create<K extends ResourceKind>(
    kind: Kind | undefined,
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<Stored<K>> {
    const given = present(kind);
    const resource = parsed(given);
    const wish = { resource, path: given.$case, etag: "" };
    return storedBy(await this.run({ type: "create", wish }, write, bytes), resource);
  }

  async update<K extends ResourceKind>(
    kind: Kind | undefined,
    mask: readonly string[] | undefined,
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<Stored<K>> {
    const request = present(kind);
    const by = commandOrigin(write, bytes);
    for (let merge = 1; ; merge += 1) {
      await this.#live.catchUp();
      const stored = this.#stored(request.$case, request.value.name, `${request.$case}.name`);
      const violations: Violation[] = [];
      const merged = mergeByMask(resourceToWire(stored).kind, request, mask ?? [], violations);
      if (violations.length > 0) throw Refused.by("INVALID_FIELD", violations);
      // A merge holds only for the resource that it was made with, whatever the client knows of it.
      const etag = merged === request || request.value.etag !== "" ? request.value.etag : etagOf(stored);
      const resource = parsed(merged);
      const command: Command = { type: "update", wish: { resource, path: request.$case, etag } };
      const answer = await this.#committer.commit(command, by);
      const lost = "refused" in answer && answer.refused === "ETAG_MISMATCH" && request.value.etag === "";
      if (!lost || merge === mergesMax) return storedBy(accepted(answer), resource);
    }
  }

  async delete(
    kind: ResourceKind,
    request: { readonly name: string; readonly etag: string; readonly force?: boolean },
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<{ revision: bigint }> {
    const name = checkedName(kind, request.name, "name");
    const command: Command = { type: "delete", name, etag: request.etag, force: request.force ?? false };
    return { revision: BigInt((await this.run(command, write, bytes)).revision) };
  }

  /** Carries out any command, or throws {@link Refused}. */
  async run(command: Command, write: Write | undefined, bytes: Uint8Array): Promise<Committed> {
    return accepted(await this.#committer.commit(command, commandOrigin(write, bytes)));
  }

  #stored(kind: ResourceKind, name: string, field = "name"): Resource {
    const stored = this.#live.configuration.resource(checkedName(kind, name, field));
    if (stored !== undefined) return stored;
    const description = `there is no ${name}`;
    throw Refused.by("NOT_FOUND", [{ field, reason: "unknown_reference", description }]);
  }
}

/** The plan of what a command changes, or has changed. */
export function planToWire(committed: { readonly lines: readonly PlanLine[]; readonly unchangedCount: number }): Plan {
  const changes = committed.lines.map(({ verb, name, fields }) => ({ verb: verbs[verb], name, fields: [...fields] }));
  return { changes, unchangedCount: committed.unchangedCount };
}

const verbs = {
  create: Change_Verb.VERB_CREATE,
  update: Change_Verb.VERB_UPDATE,
  delete: Change_Verb.VERB_DELETE,
} as const;

/** A resource as clients see it, with its etag. */
function messageOf<K extends ResourceKind>(resource: Resource): WireOf[K] {
  return { ...resourceToWire(resource).kind.value, etag: etagOf(resource) } as WireOf[ResourceKind] as WireOf[K];
}

function storedBy<K extends ResourceKind>(committed: Committed, wished: Resource): Stored<K> {
  const resource = committed.lines.find((line) => line.name === wished.name)?.resource ?? wished;
  return { message: messageOf<K>(resource), revision: BigInt(committed.revision) };
}

function accepted(answer: Awaited<ReturnType<Committer["commit"]>>): Committed {
  if (!("refused" in answer)) return answer;
  if (answer.refused !== "REQUEST_ID_REUSED") throw Refused.by(answer.refused, answer.violations);
  const description = `it was used for another command, at revision ${answer.revision}`;
  throw Refused.by("REQUEST_ID_REUSED", [{ field: "write.request_id", reason: "duplicate", description }]);
}

function commandOrigin(write: Write | undefined, requestBytes: Uint8Array): CommandOrigin {
  const { requestId = "", author = "", reason = "", validateOnly = false } = write ?? {};
  const violations: Violation[] = [];
  const bounded = (field: string, text: string, max: number): void => {
    const description = `${text.length} characters; at most ${max} are allowed`;
    if (text.length > max) violations.push({ field: `write.${field}`, reason: "out_of_range", description });
  };
  bounded("request_id", requestId, 128);
  bounded("author", author, 256);
  bounded("reason", reason, 4096);
  if (violations.length > 0) throw Refused.by("INVALID_FIELD", violations);
  return { requestId: requestId || randomUUID(), requestBytes, author: author || "anonymous", reason, validateOnly };
}

function present(kind: Kind | undefined): Kind {
  if (kind?.value !== undefined) return kind;
  const field = kind?.$case ?? "resource";
  throw Refused.by("INVALID_FIELD", [{ field, reason: "required", description: "it is missing" }]);
}

function parsed(kind: Kind): Resource {
  const violations: Violation[] = [];
  const resource = parseResourceOf(kind, kind.$case, violations);
  if (resource === undefined) throw Refused.by("INVALID_FIELD", violations);
  return resource;
}

function checkedName(kind: ResourceKind, name: string, field: string): ResourceName {
  if (kindOfName(name) === kind) return name as ResourceName;
  const description = `${JSON.stringify(name.slice(0, 80))} is no name of a ${kind}: ${nameShape[kind]}`;
  throw Refused.by("INVALID_FIELD", [{ field, reason: "malformed", description }]);
}

/** What the names below a parent begin with; `-` stands for every parent, and so does nothing at all. */
function parentPrefix(kind: ResourceKind, parent: string): string {
  if (parent === "") return "";
  const is = kind === "route" ? isListenerName : isFarmName;
  if (parent === "listeners/-" || parent === "farms/-") return "";
  if (is(parent)) return `${parent}/`;
  const description = `${JSON.stringify(parent.slice(0, 80))} is no parent of a ${kind}`;
  throw Refused.by("INVALID_FIELD", [{ field: "parent", reason: "malformed", description }]);
}
