import { expect, test } from "vitest";
import {
  extension,
  filler,
  type HelloParts,
  hello,
  preSharedKey,
  sessionTicket,
  supportedVersions,
} from "../../test/corpus/hello-builder.ts";
import { readHello } from "../hello/hello-reader.ts";
import type { OfferedSession } from "./offered-session.ts";
import { offeredSession } from "./read-offered-session.ts";

const none = new Uint8Array(0);
const both = supportedVersions(0x0304, 0x0303);
const grease13 = supportedVersions(0x5a5a, 0x0304);
const only12 = supportedVersions(0x0303);
const id = filler(32, 2);
const ticket = filler(200, 3);
const [one, other] = [filler(180, 4), filler(40, 5)];

function offered(parts: HelloParts): OfferedSession | null {
  const outcome = readHello(hello(parts), 16_384);
  if (outcome.outcome !== "complete") throw new Error(JSON.stringify(outcome));
  return offeredSession(outcome.hello);
}

const psk = (...heads: readonly Uint8Array[]): OfferedSession => ({ kind: "psk", heads });

test.each<{ readonly title: string; readonly parts: HelloParts; readonly session: OfferedSession | null }>([
  { title: "nothing", parts: { extensions: [both] }, session: null },
  { title: "a PSK", parts: { extensions: [both, preSharedKey(one)] }, session: psk(one.slice(0, 32)) },
  {
    title: "two PSKs, in their order",
    parts: { extensions: [both, preSharedKey(other, one)] },
    session: psk(other.slice(0, 32), one.slice(0, 32)),
  },
  {
    title: "four of five PSKs",
    parts: { extensions: [both, preSharedKey(one, other, one, other, filler(33, 9))] },
    session: psk(one.slice(0, 32), other.slice(0, 32), one.slice(0, 32), other.slice(0, 32)),
  },
  {
    title: "a PSK in its place behind one that is too short for a ticket",
    parts: { extensions: [both, preSharedKey(filler(3), one)] },
    session: psk(none, one.slice(0, 32)),
  },
  { title: "a PSK of 4 bytes", parts: { extensions: [both, preSharedKey(filler(4))] }, session: psk(filler(4)) },
  {
    title: "nothing in PSKs that are too short",
    parts: { extensions: [both, preSharedKey(filler(3))] },
    session: null,
  },
  {
    title: "no made-up id beside PSKs that are too short",
    parts: { sessionId: id, extensions: [both, preSharedKey(filler(3))] },
    session: null,
  },
  {
    title: "the PSK, beside a ticket and an id",
    parts: { sessionId: id, extensions: [both, sessionTicket(ticket), preSharedKey(one)] },
    session: psk(one.slice(0, 32)),
  },
  {
    title: "a TLS 1.2 ticket",
    parts: { extensions: [sessionTicket(ticket)] },
    session: { kind: "ticket", head: ticket.slice(0, 32) },
  },
  {
    title: "the ticket, beside the id that was made up for it",
    parts: { sessionId: id, extensions: [only12, sessionTicket(ticket)] },
    session: { kind: "ticket", head: ticket.slice(0, 32) },
  },
  {
    title: "no id beside a ticket of 3 bytes",
    parts: { sessionId: id, extensions: [sessionTicket(filler(3))] },
    session: null,
  },
  {
    title: "an id, where a ticket is only asked for",
    parts: { sessionId: id, extensions: [only12, sessionTicket(none)] },
    session: { kind: "session_id", id, certain: true },
  },
  {
    title: "an id of a client that has no extensions",
    parts: { sessionId: id, extensions: null },
    session: { kind: "session_id", id, certain: true },
  },
  {
    title: "an id of one byte",
    parts: { sessionId: filler(1), extensions: [extension(23)] },
    session: { kind: "session_id", id: filler(1), certain: true },
  },
  {
    title: "an id that TLS 1.3 may have made up",
    parts: { sessionId: id, extensions: [both] },
    session: { kind: "session_id", id, certain: false },
  },
  {
    title: "an id that TLS 1.3 may have made up, behind GREASE",
    parts: { sessionId: id, extensions: [grease13] },
    session: { kind: "session_id", id, certain: false },
  },
])("a client offers $title", ({ parts, session }) => {
  expect(offered(parts)).toStrictEqual(session);
});

test("what is kept of a hello outlives its bytes", () => {
  const bytes = hello({ sessionId: id, extensions: [both, preSharedKey(one)] });
  const outcome = readHello(bytes, 16_384);
  if (outcome.outcome !== "complete") throw new Error(JSON.stringify(outcome));
  const session = offeredSession(outcome.hello);
  bytes.fill(0);
  expect(session).toStrictEqual(psk(one.slice(0, 32)));
});
