import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Plan, Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { Change_Verb } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import type { Configuration } from "../../model/configuration.ts";
import { etagOf } from "../../model/digest.ts";
import { kindOfName, nameShape } from "../../model/resource-name.ts";
import type { ResourceKind, ResourceName } from "../../model/resource-name.ts";
import type { Resource, ResourceOf } from "../../model/resource.ts";
import type { Violation } from "../../model/violation.ts";
import { parseResourceOf } from "../../model/wire/parse-resource.ts";
import { resourceToWire } from "../../model/wire/resource-to-wire.ts";
import type { Command, Refusal } from "../decide/command.ts";
import type { Committed, Committer } from "../state/committer.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import type { PlanLine } from "../state/plan-line.ts";
import { accepted, commandOrigin } from "./commit-answer.ts";
import { mergeByMask } from "./field-mask.ts";
import { kindField } from "./kind-field.ts";
import { type Listings, pageSize } from "./listing.ts";
import { Refused } from "./refused.ts";

/** The message type of each kind. */
export interface WireOf {
  readonly listener: wire.Listener;
  readonly route: wire.Route;
  readonly farm: wire.Farm;
  readonly server: wire.Server;
  readonly rolloutPolicy: wire.RolloutPolicy;
}

type Kind = NonNullable<wire.Resource["kind"]>;

/** A stored resource, and the revision that holds it. */
export interface Stored<K extends ResourceKind> {
  readonly message: WireOf[K];
  readonly revision: bigint;
}

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
    const checked = checkedName(kind, name, "name");
    const stored = this.#live.configuration.resource(checked);
    if (stored === undefined) throw Refused.by("NOT_FOUND", [unknown(checked, "name")]);
    return messageOf<K>(stored as ResourceOf[K]);
  }

  async list<K extends ResourceKind>(
    kind: K,
    request: { readonly pageSize: number; readonly pageToken: string; readonly parent?: string },
  ): Promise<{ messages: WireOf[K][]; nextPageToken: string; revision: bigint }> {
    await this.#live.catchUp();
    const prefix = parentPrefix(kind, request.parent ?? "");
    const parent = prefix.slice(0, -1) as ResourceName;
    // Later pages show the revision of the first, where it was.
    if (prefix !== "" && request.pageToken === "" && this.#live.configuration.resource(parent) === undefined)
      throw Refused.by("NOT_FOUND", [unknown(parent, "parent")]);
    const page = await this.#listings.page(kind, prefix, pageSize(request.pageSize, 100), request.pageToken);
    const messages = page.resources.map((resource) => messageOf<K>(resource as ResourceOf[K]));
    return { messages, nextPageToken: page.nextPageToken, revision: BigInt(page.revision) };
  }

  /** `bytes` are the request's (`live-bytes.ts`). */
  async create<K extends ResourceKind>(
    kind: K,
    message: WireOf[K] | undefined,
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<Stored<K>> {
    const given = present(kind, message);
    const violations: Violation[] = [];
    const resource = parseResourceOf(given, kindField[kind], violations);
    if (resource === undefined) throw Refused.by("INVALID_FIELD", violations);
    const wish = { resource, path: kindField[kind], etag: "" };
    return storedBy(await this.run({ type: "create", wish }, write, bytes), resource);
  }

  async update<K extends ResourceKind>(
    kind: K,
    message: WireOf[K] | undefined,
    mask: readonly string[] | undefined,
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<Stored<K>> {
    const given = present(kind, message);
    const field = kindField[kind];
    const name = checkedName(kind, given.value.name, `${field}.name`);
    let wished: Resource | undefined;
    const commandAt = (configuration: Configuration): Command | Refusal => {
      const violations: Violation[] = [];
      const stored = configuration.resource(name);
      if (stored === undefined) return { refused: "NOT_FOUND", violations: [unknown(name, `${field}.name`)] };
      const merged = mergeByMask(resourceToWire(stored).kind, given, mask ?? [], violations);
      wished = violations.length > 0 ? undefined : parseResourceOf(merged, field, violations);
      if (wished === undefined) return { refused: "INVALID_FIELD", violations };
      return { type: "update", wish: { resource: wished, path: field, etag: given.value.etag } };
    };
    return storedBy(accepted(await this.#committer.commit(commandAt, commandOrigin(write, bytes))), wished);
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
    return accepted(await this.#committer.commit(() => command, commandOrigin(write, bytes)));
  }
}

/** The plan of what a command changes, or has changed. */
export function planToWire(lines: readonly PlanLine[], unchangedCount: number): Plan {
  const changes = lines.map(({ verb, name, fields }) => ({ verb: verbs[verb], name, fields: [...fields] }));
  return { changes, unchangedCount };
}

const verbs = {
  create: Change_Verb.VERB_CREATE,
  update: Change_Verb.VERB_UPDATE,
  delete: Change_Verb.VERB_DELETE,
} as const;

/** A resource as clients see it, with its etag. */
function messageOf<K extends ResourceKind>(resource: ResourceOf[K]): WireOf[K] {
  return { ...resourceToWire(resource).kind.value, etag: etagOf(resource) } as WireOf[K];
}

/** `wished` is what is stored where nothing had to be changed. */
function storedBy<K extends ResourceKind>(committed: Committed, wished: Resource | undefined): Stored<K> {
  const resource = committed.lines[0]?.resource ?? wished;
  if (resource === undefined) throw new Error(`commit ${committed.revision} holds no resource`);
  return { message: messageOf<K>(resource as ResourceOf[K]), revision: BigInt(committed.revision) };
}

function present<K extends ResourceKind>(kind: K, message: WireOf[K] | undefined): Kind {
  if (message !== undefined) return { $case: kind, value: message } as Kind;
  throw Refused.by("INVALID_FIELD", [{ field: kindField[kind], reason: "required", description: "it is missing" }]);
}

function checkedName(kind: ResourceKind, name: string, field: string): ResourceName {
  if (kindOfName(name) === kind) return name as ResourceName;
  const description = `${JSON.stringify(name.slice(0, 80))} is no name of a ${kind}: ${nameShape[kind]}`;
  throw Refused.by("INVALID_FIELD", [{ field, reason: "malformed", description }]);
}

function unknown(name: ResourceName, field: string): Violation {
  return { field, reason: "unknown_reference", description: `there is no ${name}` };
}

/** What the names below a parent begin with; `-` stands for every parent, and so does nothing at all. */
function parentPrefix(kind: ResourceKind, parent: string): string {
  const parentKind = kind === "route" ? "listener" : "farm";
  return parent === "" || parent === `${parentKind}s/-` ? "" : `${checkedName(parentKind, parent, "parent")}/`;
}
