import { Snapshot, type SnapshotHeader } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { type Position, sameBytes } from "../commit.ts";
import { Configuration } from "../configuration.ts";
import { isReleasedToAll, releasedToAll, type Releases } from "../releases.ts";
import type { Resource } from "../resource.ts";
import type { Resource as WireResource } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { Violation } from "../violation.ts";
import { parseResource } from "./parse-resource.ts";
import { parseReleases, releasesToWire } from "./releases.ts";
import { storedResource } from "./stored-resource.ts";

/** What stands before the resources of a snapshot. */
export function snapshotHeader(configuration: Configuration): SnapshotHeader {
  const { position, releases } = configuration;
  const { epoch, revision, hash } = position;
  return {
    epoch: BigInt(epoch),
    revision: BigInt(revision),
    hash,
    digest: configuration.digest,
    resourceCount: BigInt(configuration.size),
    releases: isReleasedToAll(releases, position) ? undefined : releasesToWire(releases),
  };
}

/**
 * The configuration as stored beside the log, in parts that are to be put one after another: a protobuf message may be
 * cut between its fields, so that a million resources need not be encoded in one turn. The list of resources is taken
 * at the first step; later commits do not show.
 */
export function* encodeSnapshotParts(configuration: Configuration, resourcesPerPart: number): Generator<Uint8Array> {
  const header = snapshotHeader(configuration);
  const resources = [...configuration.resources()];
  yield Snapshot.encode({ header, resources: [] }).finish();
  for (let start = 0; start < resources.length; start += resourcesPerPart) {
    const part = resources.slice(start, start + resourcesPerPart).map(storedResource);
    yield Snapshot.encode({ header: undefined, resources: part }).finish();
  }
}

/** The reverse. Throws {@link SnapshotInvalid} where the bytes, a resource or the digest do not hold. */
export function decodeSnapshot(body: Uint8Array): Configuration {
  let snapshot: Snapshot;
  try {
    snapshot = Snapshot.decode(body);
  } catch (error) {
    throw new SnapshotInvalid(`it does not decode: ${String(error)}`);
  }
  if (snapshot.header === undefined) throw new SnapshotInvalid("it has no header");
  return restoreSnapshot(snapshot.header, snapshot.resources);
}

/** A configuration from a header and all the resources that came after it; the digest must be the header's. */
export function restoreSnapshot(header: SnapshotHeader, messages: Iterable<WireResource>): Configuration {
  const resources: Resource[] = [];
  const violations: Violation[] = [];
  for (const message of messages) {
    const resource = parseResource(message, `resources[${resources.length}]`, violations);
    if (resource === undefined) throw new SnapshotInvalid(violations.map((each) => each.description).join("; "));
    resources.push(resource);
  }
  const position = snapshotPosition(header);
  const configuration = Configuration.restore(position, resources, snapshotReleases(header));
  if (!sameBytes(configuration.digest, header.digest))
    throw new SnapshotInvalid("its digest is not that of its resources");
  return configuration;
}

/** Where the snapshot was taken. */
export function snapshotPosition({ epoch, revision, hash }: SnapshotHeader): Position {
  // Copied: what decoding gives is a view that would keep the whole message alive.
  return { epoch: Number(epoch), revision: Number(revision), hash: new Uint8Array(hash) };
}

/** What is released to whom, as of the snapshot. Throws {@link SnapshotInvalid} where it can't be understood. */
export function snapshotReleases(header: SnapshotHeader): Releases {
  if (header.releases === undefined) return releasedToAll(snapshotPosition(header));
  const violations: Violation[] = [];
  const releases = parseReleases(header.releases, Number(header.revision), "releases", violations);
  if (releases !== undefined) return releases;
  throw new SnapshotInvalid(violations.map(({ field, description }) => `${field}: ${description}`).join("; "));
}

/** A snapshot that can't be used; another one, or the log from its start, can. */
export class SnapshotInvalid extends Error {
  override readonly name = "SnapshotInvalid";
}
