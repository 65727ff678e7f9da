import { Learnt as WireLearnt, LearntQuestion as WireQuestion } from "../../proto/gen/switchyard/fleet/v1/learnt.ts";
import {
  type Learnt,
  learntEntriesMax,
  type LearntSessionId,
  type LearntTicketName,
  sessionIdBytesMax,
  ticketNameBytesMax,
  ticketNameBytesMin,
} from "../learnt.ts";
import { isServerResourceName, type ServerResourceName } from "../resource-name.ts";

/** One message, encoded. */
export const learntBytesMax = 256 * 1024;

/** In a message that was received; another version may fit more of them into its bytes. */
const receivedEntriesMax = 8192;

/** What is said to be older than any ticket lives is no age. */
const ageMsMax = 366 * 86_400_000;

/** As in a control plane's answer; a node's id in NATS is a part of a subject. */
const askerCharactersMax = 256;

/** @throws RangeError for more than `learntEntriesMax` entries */
export function learntToWire({ ticketNames, sessionIds }: Learnt, to = ""): WireLearnt {
  if (ticketNames.length + sessionIds.length > learntEntriesMax)
    throw new RangeError(`${ticketNames.length + sessionIds.length} entries; ${learntEntriesMax} fit into a message`);
  const places = new Map<ServerResourceName, number>();
  const placeOf = (server: ServerResourceName): number => {
    let place = places.get(server);
    if (place === undefined) {
      place = places.size;
      places.set(server, place);
    }
    return place;
  };
  return {
    to,
    ticketNames: ticketNames.map(({ name, server, ageMs, dropped }) => {
      return { name, server: placeOf(server), ageMs: wireAge(ageMs), dropped };
    }),
    sessionIds: sessionIds.map(({ id, server, ageMs }) => ({ id, server: placeOf(server), ageMs: wireAge(ageMs) })),
    servers: [...places.keys()],
  };
}

/** What a message says, in bytes of its own; or, in a sentence, why all of it is refused. */
export function learntFromWire(wire: WireLearnt): Learnt | string {
  const { servers } = wire;
  const entries = wire.ticketNames.length + wire.sessionIds.length;
  if (entries > receivedEntriesMax) return `there are ${entries} entries, and at most ${receivedEntriesMax} are taken`;
  if (servers.length > entries) return `there are ${servers.length} servers for ${entries} entries`;
  if (wire.to.length > askerCharactersMax) return `\`to\` has more than ${askerCharactersMax} characters`;
  for (const server of servers)
    if (!isServerResourceName(server)) return `${JSON.stringify(server.slice(0, 80))} is no server's name`;
  const ticketNames: LearntTicketName[] = [];
  for (const { name, server, ageMs, dropped } of wire.ticketNames) {
    const fault = bytesFault(name, ticketNameBytesMin, ticketNameBytesMax) ?? entryFault(server, ageMs, servers);
    if (fault !== undefined) return `a ticket's name: ${fault}`;
    const own = new Uint8Array(name);
    ticketNames.push({ server: servers[server] as ServerResourceName, name: own, ageMs: Number(ageMs), dropped });
  }
  const sessionIds: LearntSessionId[] = [];
  for (const { id, server, ageMs } of wire.sessionIds) {
    const fault = bytesFault(id, 1, sessionIdBytesMax) ?? entryFault(server, ageMs, servers);
    if (fault !== undefined) return `a session's id: ${fault}`;
    sessionIds.push({ server: servers[server] as ServerResourceName, id: new Uint8Array(id), ageMs: Number(ageMs) });
  }
  return { ticketNames, sessionIds };
}

export function encodeLearnt(learnt: Learnt, to = ""): Uint8Array {
  return WireLearnt.encode(learntToWire(learnt, to)).finish();
}

/** As `learntFromWire`; too many bytes are not looked into. */
export function decodeLearnt(bytes: Uint8Array): Learnt | string {
  if (bytes.length > learntBytesMax) return `it has ${bytes.length} bytes, and at most ${learntBytesMax} are taken`;
  try {
    return learntFromWire(WireLearnt.decode(bytes));
  } catch {
    return "it is no protobuf";
  }
}

export function encodeLearntQuestion(asker: string): Uint8Array {
  return WireQuestion.encode({ asker }).finish();
}

/** Who asks; undefined where the message does not say. */
export function decodeLearntQuestion(bytes: Uint8Array): string | undefined {
  if (bytes.length > askerCharactersMax * 4) return undefined;
  try {
    const { asker } = WireQuestion.decode(bytes);
    return asker === "" || asker.length > askerCharactersMax ? undefined : asker;
  } catch {
    return undefined;
  }
}

function wireAge(ageMs: number): bigint {
  return BigInt(Math.min(ageMsMax, Math.max(0, Math.round(ageMs))));
}

function bytesFault({ length }: Uint8Array, min: number, max: number): string | undefined {
  return length >= min && length <= max ? undefined : `it has ${length} bytes, not ${min} to ${max}`;
}

function entryFault(server: number, ageMs: bigint, servers: readonly string[]): string | undefined {
  if (server >= servers.length) return `there is no server ${server} of ${servers.length}`;
  return ageMs <= BigInt(ageMsMax) ? undefined : `an age of ${ageMs} ms is too much`;
}
