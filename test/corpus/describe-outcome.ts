import type { HelloOutcome } from "../../dataplane/hello/hello-outcome.ts";

/** Everything that an outcome says, as plain data: what two readings of the same bytes must agree in. */
export function describeOutcome(outcome: HelloOutcome): Record<string, unknown> {
  if (outcome.outcome !== "complete") return { ...outcome };
  const hello = outcome.hello;
  return {
    outcome: "complete",
    name: hello.serverName(),
    nameHex: hex(hello.nameBytes),
    recordVersion: hello.recordVersion,
    legacyVersion: hello.legacyVersion,
    alertRecordVersion: hello.alertRecordVersion,
    sessionId: hex(hello.sessionId),
    sessionTicket: hello.sessionTicket === null ? null : hex(hello.sessionTicket),
    pskIdentities: hello.pskIdentities().map(hex),
    alpn: hello.alpnProtocols(),
    supportedVersions: hello.supportedVersions(),
    encryptedClientHello: hello.encryptedClientHello,
    earlyData: hello.earlyData,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
