import { SnapshotHeader } from "../../proto/gen/switchyard/config/v1/commits.ts";
import { Resource as WireResource, Route as WireRoute } from "../../proto/gen/switchyard/config/v1/resources.ts";
import { Configuration } from "../configuration.ts";
import type { Resource, Route } from "../resource.ts";
import { type ListenerName, listenerOf, type RouteName } from "../resource-name.ts";
import { noSpelling, type RouteStore, StoredRoute } from "../stored-route.ts";
import type { Violation } from "../violation.ts";
import { parseResource, parseResourceOf } from "./parse-resource.ts";
import { SnapshotInvalid, snapshotPosition, snapshotReleases } from "./snapshot.ts";

/** Tags of length-delimited fields: `Snapshot`, `Resource`, `Route` and `Match` of the proto. */
const headerTag = 0x0a;
const resourceTag = 0x12;
const routeTag = 0x12;
const routeNameTag = 0x0a;
const routeMatchTag = 0x12;
const serverNameTag = 0x0a;

const lengthDelimited = 2;
const star = 0x2a;
const slash = 0x2f;

/**
 * The configuration of an encoded snapshot (`encodeSnapshotParts`), usable at once: its routes are read when they are
 * first looked at, and its digest is taken from the header. For bytes that this software stored itself and whose checksum
 * holds; that the digest is that of the resources is shown afterwards, by `Configuration.proving`, while the node serves.
 * The configuration keeps `body`, which must not change.
 *
 * Throws {@link SnapshotInvalid} where the bytes are no snapshot.
 */
export function openStoredSnapshot(body: Uint8Array): Configuration {
  const scan = new Scan(body);
  const store: RouteStore = {
    bytes: body,
    read: (start) => readRoute(body, start),
    readName: (start) => readRouteName(body, start),
  };
  const resources: Resource[] = [];
  let header: SnapshotHeader | undefined;
  while (scan.at < body.length) {
    const tag = scan.number();
    const end = scan.end(tag, body.length);
    if (tag === headerTag) header = decodeHeader(body.subarray(scan.at, end));
    else if (tag === resourceTag) resources.push(resourceAt(scan, end, store));
    scan.at = end;
  }
  if (header === undefined) throw new SnapshotInvalid("it has no header");
  if (Number(header.resourceCount) !== resources.length)
    throw new SnapshotInvalid(`it has ${resources.length} resources instead of ${header.resourceCount}`);
  const digest = new Uint8Array(header.digest);
  return Configuration.trusting(snapshotPosition(header), resources, digest, snapshotReleases(header));
}

/** Reads tags and lengths, and nothing else: no objects are made. */
class Scan {
  at = 0;
  readonly bytes: Uint8Array;
  /** The listener of the route before, nearly always this one's too, so that its name is made once. */
  listener: ListenerName = "listeners/";

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** A varint of at most 28 bits; anything longer is no tag or length of ours. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new SnapshotInvalid(`no number at byte ${this.at}`);
  }

  /** Where the field ends whose tag was just read; it may not go beyond `limit`. */
  end(tag: number, limit: number): number {
    if ((tag & 7) !== lengthDelimited) throw new SnapshotInvalid(`no field of a snapshot at byte ${this.at}`);
    const length = this.number();
    if (this.at + length > limit) throw new SnapshotInvalid(`a field ends beyond its message at byte ${this.at}`);
    return this.at + length;
  }

  /** Whether bytes `start` to `end` begin with the listener of the route before, and a slash behind it. */
  sameListener(start: number, end: number): boolean {
    const { listener, bytes } = this;
    const length = listener.length;
    if (end - start <= length || bytes[start + length] !== slash) return false;
    for (let at = length - 1; at >= 0; at -= 1) if (bytes[start + at] !== listener.charCodeAt(at)) return false;
    return true;
  }
}

function decodeHeader(bytes: Uint8Array): SnapshotHeader {
  try {
    return SnapshotHeader.decode(bytes);
  } catch (error) {
    throw new SnapshotInvalid(`its header does not decode: ${String(error)}`);
  }
}

/** The resource between `scan.at` and `end`: routes are left in their bytes, the few others are read. */
function resourceAt(scan: Scan, end: number, store: RouteStore): Resource {
  if (scan.bytes[scan.at] !== routeTag) return readResource(scan.bytes.subarray(scan.at, end));
  const start = scan.at + 1;
  const routeEnd = scan.end(scan.number(), end);
  let spelling: number = noSpelling;
  let named = false;
  while (scan.at < routeEnd) {
    const tag = scan.number();
    const fieldEnd = scan.end(tag, routeEnd);
    if (tag === routeNameTag) {
      named = scan.sameListener(scan.at, fieldEnd);
    } else if (tag === routeMatchTag) {
      spelling = spellingOf(scan, fieldEnd);
    }
    scan.at = fieldEnd;
  }
  if (!named) scan.listener = listenerOf(store.read(start).name);
  return new StoredRoute(store, start, scan.listener, spelling);
}

/** Where the length of the one exact name of a match stands, if that is all that the match says. */
function spellingOf(scan: Scan, matchEnd: number): number {
  if (scan.at === matchEnd || scan.number() !== serverNameTag) return noSpelling;
  const lengthAt = scan.at;
  const nameEnd = scan.end(serverNameTag, matchEnd);
  // A name of 128 bytes and more has its length in two.
  const plain = nameEnd === matchEnd && scan.at === lengthAt + 1 && scan.at < nameEnd;
  return plain && scan.bytes[scan.at] !== star ? lengthAt : noSpelling;
}

/** Names of routes are ASCII. */
function readRouteName(body: Uint8Array, start: number): RouteName {
  const scan = new Scan(body);
  scan.at = start;
  const end = scan.end(lengthDelimited, body.length);
  while (scan.at < end) {
    const tag = scan.number();
    const fieldEnd = scan.end(tag, end);
    if (tag === routeNameTag) return String.fromCharCode(...body.subarray(scan.at, fieldEnd)) as RouteName;
    scan.at = fieldEnd;
  }
  throw new SnapshotInvalid(`the route at byte ${start} has no name`);
}

function readRoute(body: Uint8Array, start: number): Route {
  const scan = new Scan(body);
  scan.at = start;
  const end = scan.end(lengthDelimited, body.length);
  const violations: Violation[] = [];
  const value = decoded(() => WireRoute.decode(body.subarray(scan.at, end)));
  const route = parseResourceOf({ $case: "route", value }, "route", violations);
  return checked(route, violations) as Route;
}

function readResource(bytes: Uint8Array): Resource {
  const violations: Violation[] = [];
  return checked(
    parseResource(
      decoded(() => WireResource.decode(bytes)),
      "resource",
      violations,
    ),
    violations,
  );
}

function decoded<Message>(decode: () => Message): Message {
  try {
    return decode();
  } catch (error) {
    throw new SnapshotInvalid(`a resource does not decode: ${String(error)}`);
  }
}

function checked(resource: Resource | undefined, violations: readonly Violation[]): Resource {
  if (resource !== undefined) return resource;
  throw new SnapshotInvalid(violations.map(({ field, description }) => `${field}: ${description}`).join("; "));
}
