import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.ts";

/** A flight that `capture-flights.ts` recorded: what the client said of its session, and what the server was told to do. */
export interface CapturedFlight {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** As `s_client` said. */
  readonly resumed: boolean;
  /** Of the session, in hex; with a ticket of TLS 1.2, or under TLS 1.3, the client made it up. */
  readonly sessionIdSaid: string;
  /** The first 32 bytes of the client's ticket, in hex: of this connection, or of the one before. */
  readonly ticketSaid: string;
  readonly version: number;
  /** In the ServerHello of TLS 1.2 and older: none, the one that the client said, or one that it had no use for. */
  readonly sessionId: "none" | "said" | "unused";
  /** The server sent a ticket in clear. */
  readonly ticket: boolean;
}

function captured(
  file: string,
  version: number,
  sessionId: CapturedFlight["sessionId"] = "none",
  ticket = false,
): CapturedFlight {
  const text = readFileSync(join(packageRoot(), "test/corpus/captured-flights", `${file}.hex`), "utf8");
  const hex = text.split("\n").filter((line) => !line.startsWith("#"));
  const said = (what: string): string => new RegExp(`^# ${what}: (.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    file,
    bytes: new Uint8Array(Buffer.from(hex.join(""), "hex")),
    resumed: said("session") === "Reused",
    sessionIdSaid: said("session id"),
    ticketSaid: said("ticket begins"),
    version,
    sessionId,
    ticket,
  };
}

const tls13 = 0x0304;
const tls12 = 0x0303;

/**
 * GnuTLS and Java give a session id beside a ticket; Java gives a new ticket at each resumption, nginx where the old one
 * was made with an old key; Node keeps no sessions by id unless its program does.
 */
export const capturedFlights: readonly CapturedFlight[] = [
  ...["openssl", "nginx", "gnutls", "node", "java"].flatMap((stack) => [
    captured(`${stack}-tls1.3`, tls13),
    captured(`${stack}-tls1.3-resumed`, tls13),
    captured(`${stack}-tls1.2-session-id`, tls12, "said"),
  ]),
  ...["openssl", "nginx", "gnutls", "java"].map((stack) =>
    captured(`${stack}-tls1.2-session-id-resumed`, tls12, "said"),
  ),
  captured("node-tls1.2-session-id-refused", tls12, "said"),
  ...["openssl", "nginx", "node"].map((stack) => captured(`${stack}-tls1.2-ticket`, tls12, "none", true)),
  ...["gnutls", "java"].map((stack) => captured(`${stack}-tls1.2-ticket`, tls12, "unused", true)),
  ...["openssl", "nginx", "gnutls", "node"].map((stack) => captured(`${stack}-tls1.2-ticket-resumed`, tls12, "said")),
  captured("java-tls1.2-ticket-resumed", tls12, "unused", true),
  captured("nginx-tls1.2-ticket-renewed", tls12, "unused", true),
  captured("openssl-tls1.2-nothing", tls12),
  captured("openssl-tls1.1", 0x0302, "none", true),
  captured("openssl-tls1.0-resumed", 0x0301, "said"),
  captured("openssl-tls1.3-retry", tls13),
  captured("openssl-tls1.3-retry-resumed", tls13),
];
