import { expect, test } from "vitest";
import { type AffinityFinding, advise, type FarmEvidence } from "./advise.ts";

const nothing: FarmEvidence = {
  named: 0,
  nameless: 0,
  sharing: 0,
  alternating: 0,
  rotating: 0,
  rotationMs: null,
  nameBytes: [],
  offered: 0,
  accepted: 0,
  refused: 0,
  ticketNames: 0,
  sessionIds: 0,
  withoutSession: 0,
};
const four: FarmEvidence = { ...nothing, named: 4, nameBytes: [16], ticketNames: 4 };
const hourMs = 3_600_000;

interface Row {
  readonly when: string;
  readonly evidence: FarmEvidence;
  readonly finding: AffinityFinding;
  /** Parts of the sentence, and of the advice; no advice for none. */
  readonly says: readonly string[];
  readonly advises: readonly string[];
}

test.each<Row>([
  { when: "nothing was seen", evidence: nothing, finding: "learning", says: ["No server"], advises: [] },
  {
    when: "two handshakes brought no session, which may be the clients' doing",
    evidence: { ...nothing, withoutSession: 2 },
    finding: "learning",
    says: ["No server"],
    advises: [],
  },
  {
    when: "handshakes bring no session",
    evidence: { ...nothing, withoutSession: 9 },
    finding: "no_sessions",
    says: ["In 9 handshakes"],
    advises: ["ssl_session_tickets on;", "gnutls_session_ticket_enable_server", "SessionTicketsDisabled = false"],
  },
  {
    when: "tickets are taken whose names are not known yet",
    evidence: { ...nothing, withoutSession: 9, offered: 1, accepted: 1 },
    finding: "learning",
    says: ["Of 1 sessions", "0.0 % lost"],
    advises: [],
  },
  {
    when: "servers give ids only",
    evidence: { ...nothing, sessionIds: 77 },
    finding: "key_per_server",
    says: ["77 ids"],
    advises: [],
  },
  {
    when: "each server has a key",
    evidence: { ...four, offered: 300, accepted: 180, refused: 20 },
    finding: "key_per_server",
    says: [
      "4 servers have ticket keys of their own",
      "4 key names of 16 bytes",
      "Of 300",
      "180 were",
      "20 refused (10.0 % lost)",
    ],
    advises: [
      "Nothing must be done",
      "ssl_session_ticket_key /etc/nginx/ticket.key;",
      "tls-ticket-keys",
      "SSLSessionTicketKeyFile",
      "ticketKeys",
      "SSL_CTX_set_tlsext_ticket_keys",
      "session_ticket_keys",
      "gnutls_session_ticket_key_generate",
    ],
  },
  {
    when: "two of four share a key",
    evidence: { ...four, sharing: 2, ticketNames: 3 },
    finding: "key_per_server",
    says: ["2 of them"],
    advises: ["Nothing must be done"],
  },
  {
    when: "all share a key",
    evidence: { ...four, sharing: 4, ticketNames: 1 },
    finding: "shared_keys",
    says: ["4 servers share"],
    advises: [],
  },
  {
    when: "all share keys that rotate",
    evidence: { ...four, sharing: 4, rotating: 4, rotationMs: 6 * hourMs },
    finding: "shared_keys",
    says: ["about every 6 hours"],
    advises: [],
  },
  {
    when: "a single server has a name",
    evidence: { ...four, named: 1, ticketNames: 1 },
    finding: "key_per_server",
    says: ["1 server has its own ticket key", "1 key name of"],
    advises: ["Nothing must be done"],
  },
  {
    when: "keys rotate, 4 bytes long",
    evidence: { ...four, nameBytes: [4], rotating: 4, rotationMs: 60.4 * 60_000 },
    finding: "rotating_keys",
    says: ["4 of 4 servers take a new ticket key about every 60 minutes"],
    advises: ["statelessKeyTimeout", "mbedtls_ssl_ticket_rotate"],
  },
  {
    when: "keys of two of four rotate",
    evidence: { ...four, rotating: 2, rotationMs: 47.96 * hourMs },
    finding: "rotating_keys",
    says: ["2 of 4 servers", "48 hours"],
    advises: ["Nothing must be done"],
  },
  {
    when: "one of four rotates",
    evidence: { ...four, rotating: 1, rotationMs: hourMs },
    finding: "key_per_server",
    says: [],
    advises: ["Nothing"],
  },
  {
    when: "workers have keys of their own, 17 bytes long",
    evidence: { ...four, alternating: 3, nameBytes: [17] },
    finding: "key_per_worker",
    says: ["3 of 4 servers use several ticket keys"],
    advises: ["before the workers fork", "s2n_config_add_ticket_crypto_key"],
  },
  {
    when: "names have a length that no stack is known for",
    evidence: { ...four, alternating: 1, nameBytes: [9] },
    finding: "key_per_worker",
    says: ["1 of 4 servers uses"],
    advises: ["nginx", "s2n_config_add_ticket_crypto_key", "mbedtls"],
  },
  {
    when: "no ticket has a name",
    evidence: { ...nothing, nameless: 4 },
    finding: "no_key_name",
    says: ["4 of 4 servers"],
    advises: ["SetSessionTicketKeys", "Ticketer::new()", "SSL_OP_NO_TICKET", "affinity.fallback"],
  },
  {
    when: "half of the servers have no names",
    evidence: { ...four, named: 2, nameless: 2 },
    finding: "no_key_name",
    says: ["2 of 4"],
    advises: ["Go:"],
  },
  {
    when: "few servers have no names",
    evidence: { ...four, named: 3, nameless: 1 },
    finding: "key_per_server",
    says: ["3 servers"],
    advises: ["Nothing"],
  },
])("$finding is found when $when", ({ evidence, finding, says, advises }) => {
  const report = advise(evidence);
  expect(report.finding).toBe(finding);
  for (const part of says) expect(report.sentence).toContain(part);
  for (const part of advises) expect(report.advice).toContain(part);
  if (advises.length === 0) expect(report.advice).toBe("");
  expect(report.ticketNames).toBe(evidence.ticketNames);
  expect(report.sessionIds).toBe(evidence.sessionIds);
});

test("advice names only the stacks that make such names", () => {
  expect(advise({ ...four, nameBytes: [4] }).advice).not.toContain("nginx");
  expect(advise({ ...four, nameBytes: [16] }).advice).not.toContain("Java");
  const mixed = advise({ ...four, nameBytes: [4, 16] }).advice;
  expect(mixed).toContain("nginx");
  expect(mixed).toContain("Java");
});
