import type { FlightFacts } from "../../dataplane/hello/flight-facts.ts";
import {
  alert,
  applicationData,
  changeCipherSpec,
  encryptedFinished,
  fullFlight,
  helloRetryRequest,
  messages,
  newSessionTicket,
  selectedIdentity,
  selectedVersion,
  serverHello,
  serverHello13,
  serverHelloBody,
} from "./flight-builder.ts";
import { bytesOf, extension, filler, handshake, keyShare, latin1, record, records } from "./hello-builder.ts";

/** A server's first flight and what its maker put in. */
export interface ServerFlight {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** The byte at which the facts are settled; absent where they never are. */
  readonly settledAt?: number;
  /** Where it differs from a server that said nothing; `settled` follows from `settledAt`. */
  readonly facts: Partial<Omit<FlightFacts, "settled">>;
}

const tls12 = { answer: "server_hello", version: 0x0303, sessionId: filler(32, 30) } as const;
const tls13 = { answer: "server_hello", version: 0x0304 } as const;
const retried13 = { ...tls13, retried: true } as const;
const ticket = filler(176, 40);
const ticketHead = ticket.slice(0, 32);
const hello12 = messages(serverHello());
const hello13 = messages(serverHello13(keyShare()));
const retry = messages(helloRetryRequest);

function settled(title: string, flight: readonly Uint8Array[], facts: ServerFlight["facts"], behind = 0): ServerFlight {
  const bytes = bytesOf(...flight);
  return { title, bytes, settledAt: bytes.length - behind, facts };
}

/** Answers of TLS 1.3. */
const flights13: readonly ServerFlight[] = [
  settled("TLS 1.3, full", [hello13, changeCipherSpec, applicationData], tls13, 71),
  settled("TLS 1.3, a post-quantum share", [messages(serverHello13(keyShare(0x11ec, 1120)))], tls13),
  settled("TLS 1.3, resumed", [messages(serverHello13(keyShare(), selectedIdentity(0)))], { ...tls13, pskSelected: 0 }),
  settled("TLS 1.3, by the third identity", [messages(serverHello13(selectedIdentity(2), keyShare()))], {
    ...tls13,
    pskSelected: 2,
  }),
  settled(
    "TLS 1.3, the version last",
    [messages(serverHello({ extensions: [selectedIdentity(1), selectedVersion()] }))],
    {
      ...tls13,
      pskSelected: 1,
    },
  ),
  settled("TLS 1.3 of the future", [messages(serverHello({ extensions: [selectedVersion(0x0305)] }))], {
    ...tls13,
    version: 0x0305,
  }),
  {
    title: "HelloRetryRequest alone",
    bytes: bytesOf(retry, changeCipherSpec),
    facts: { answer: "hello_retry", retried: true },
  },
  settled("HelloRetryRequest, full", [retry, changeCipherSpec, hello13], retried13),
  settled("HelloRetryRequest, resumed", [retry, changeCipherSpec, messages(serverHello13(selectedIdentity(0)))], {
    ...retried13,
    pskSelected: 0,
  }),
  settled("HelloRetryRequest, no ChangeCipherSpec", [retry, hello13], retried13),
  settled("HelloRetryRequest and an alert", [retry, alert(2, 40)], { answer: "alert", retried: true }, 1),
  settled("HelloRetryRequest twice", [retry, retry], { answer: "other", retried: true }),
];

/** Answers of TLS 1.2 and older. */
const flights12: readonly ServerFlight[] = [
  { title: "TLS 1.2, half of a full one", bytes: bytesOf(hello12, messages(fullFlight())), facts: tls12 },
  settled(
    "TLS 1.2, full, no ticket",
    [hello12, messages(fullFlight()), changeCipherSpec, encryptedFinished],
    tls12,
    45,
  ),
  settled(
    "TLS 1.2, full, a ticket",
    [
      messages(serverHello({ sessionId: filler(0) }), fullFlight()),
      messages(newSessionTicket(ticket)),
      changeCipherSpec,
    ],
    { ...tls12, sessionId: filler(0), ticketHead },
  ),
  settled(
    "TLS 1.2, full, an empty ticket",
    [hello12, messages(fullFlight(), newSessionTicket(filler(0))), changeCipherSpec],
    tls12,
  ),
  settled("TLS 1.2, abbreviated", [hello12, changeCipherSpec, encryptedFinished], { ...tls12, abbreviated: true }, 45),
  settled("TLS 1.2, abbreviated, a new ticket", [hello12, messages(newSessionTicket(ticket)), changeCipherSpec], {
    ...tls12,
    abbreviated: true,
    ticketHead,
  }),
  settled(
    "TLS 1.2, abbreviated, all in one record",
    [messages(serverHello(), newSessionTicket(ticket)), changeCipherSpec],
    {
      ...tls12,
      abbreviated: true,
      ticketHead,
    },
  ),
  settled("TLS 1.2, a ticket of 7 bytes", [hello12, messages(newSessionTicket(filler(7))), changeCipherSpec], {
    ...tls12,
    abbreviated: true,
    ticketHead: filler(7),
  }),
  settled(
    "TLS 1.2 in records of 3 bytes",
    [records(bytesOf(serverHello(), fullFlight(), newSessionTicket(ticket)), 3, 0x0303), changeCipherSpec],
    { ...tls12, ticketHead },
  ),
  settled("TLS 1.2, certificates of 60 KB", [messages(serverHello(), fullFlight(60_000)), changeCipherSpec], tls12),
  settled(
    "TLS 1.2, an identity that means nothing",
    [messages(serverHello({ extensions: [selectedIdentity(0)] })), changeCipherSpec],
    {
      ...tls12,
      abbreviated: true,
    },
  ),
  settled("TLS 1.2, a warning first", [alert(1, 112), hello12, changeCipherSpec], { ...tls12, abbreviated: true }),
  settled("TLS 1.2, a warning amid", [hello12, alert(1, 112), changeCipherSpec], { ...tls12, abbreviated: true }),
  settled("TLS 1.2, an alert behind the hello", [hello12, messages(fullFlight()), alert(2, 40)], tls12, 1),
  ...[0x0301, 0x0302].map((version) =>
    settled(
      `version ${version.toString(16)}, no extensions`,
      [messages(serverHello({ legacyVersion: version, extensions: null })), changeCipherSpec],
      { ...tls12, version, abbreviated: true },
    ),
  ),
];

const garbled = (title: string, bytes: Uint8Array, settledAt: number): ServerFlight => ({
  title,
  bytes,
  settledAt,
  facts: { answer: "other" },
});
const body = serverHelloBody({ extensions: [selectedVersion(), keyShare()] });

/** `bytes` with the one at `at` set. */
function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  return bytes.with(at, value);
}

/** What is no answer to a hello, or a bad one. */
const otherAnswers: readonly ServerFlight[] = [
  { title: "nothing", bytes: filler(0), facts: {} },
  { title: "the beginning of a record", bytes: hello12.subarray(0, 20), facts: { answer: "other" } },
  { title: "a warning alone", bytes: alert(1, 112), facts: { answer: "alert" } },
  settled("an alert", [alert(2, 40)], { answer: "alert" }, 1),
  garbled("an HTTP error", latin1("HTTP/1.1 400 Bad Request\r\n\r\n"), 1),
  garbled("application data", applicationData, 1),
  garbled("a heartbeat", record(filler(20), 0x0303, 24), 1),
  garbled("SSLv2", bytesOf(0x80, 0x2e, 1, 0, 2), 1),
  garbled("DTLS", record(serverHello(), 0xfefd), 2),
  garbled("ChangeCipherSpec first", changeCipherSpec, 6),
  garbled("an empty record", record(filler(0), 0x0303), 5),
  garbled("a record of over 16 KiB", record(serverHello(), 0x0303, 22, 2 ** 14 + 1), 5),
  garbled("a certificate first", messages(fullFlight()), 9),
  garbled("a ticket first", messages(newSessionTicket(ticket)), 9),
  garbled("a ClientHello", messages(handshake(body, 1)), 9),
  garbled("an alert amid the hello, then no TLS", bytesOf(alert(1, 0), latin1("x")), 8),
  garbled("a hello of 37 bytes", messages(handshake(body.subarray(0, 37), 2)), 9),
  garbled("version 0x0200", messages(handshake(withByte(body, 0, 2), 2)), 11),
  garbled("a session id of 33 bytes", messages(handshake(withByte(body, 34, 33), 2)), 44),
  garbled("a session id that leaves no suite", messages(handshake(withByte(body.subarray(0, 69), 34, 32), 2)), 76),
  garbled("extensions that are longer than the message", messages(handshake(withByte(body, 71, 0xff), 2)), 81),
  garbled("extensions that are shorter", messages(handshake(withByte(body, 71, 1), 2)), 81),
  garbled("one byte of extensions", messages(handshake(body.subarray(0, 71), 2)), 79),
  garbled("an extension that is longer than all", messages(handshake(withByte(body, 75, 99), 2)), 85),
  garbled("a list of versions", messages(serverHello({ extensions: [extension(43, filler(3)), keyShare()] })), 88),
  garbled("a list of identities", messages(serverHello({ extensions: [extension(41, filler(4))] })), 89),
  settled("a second hello", [hello12, messages(serverHello())], tls12, serverHello().length - 4),
  settled(
    "a ticket that is longer than its message",
    [messages(serverHello(), newSessionTicket(filler(9), 10))],
    tls12,
  ),
  settled("a ticket that is shorter", [messages(serverHello(), newSessionTicket(filler(9), 8))], tls12),
  settled("a ticket of no length", [messages(serverHello(), handshake(filler(5), 4))], tls12, 5),
  settled("ChangeCipherSpec of two bytes", [hello12, record(Uint8Array.of(1, 1), 0x0303, 20)], tls12, 2),
  settled("ChangeCipherSpec of another value", [hello12, record(Uint8Array.of(2), 0x0303, 20)], tls12),
  settled(
    "ChangeCipherSpec inside a message",
    [hello12, record(fullFlight().subarray(0, 50), 0x0303), changeCipherSpec],
    tls12,
  ),
  settled(
    "ChangeCipherSpec inside a ticket's header",
    [hello12, record(newSessionTicket(ticket).subarray(0, 2), 0x0303), changeCipherSpec],
    tls12,
  ),
  settled("a hello, then no TLS", [hello12, latin1("x")], tls12),
];

/** Flights from their parts. */
export const builtFlights: readonly ServerFlight[] = [...flights13, ...flights12, ...otherAnswers];
