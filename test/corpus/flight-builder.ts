import {
  bytesOf,
  type Extension,
  extension,
  extensionsBlock,
  filler,
  handshake,
  record,
  records,
  uint16Bytes,
} from "./hello-builder.ts";

/** Builds what servers send first, from its parts, right and wrong. It shares no code with the reader. */

export interface ServerHelloParts {
  /** Default 0x0303. */
  readonly legacyVersion?: number;
  readonly random?: Uint8Array;
  readonly sessionId?: Uint8Array;
  /** Null leaves the block away, as a server of TLS 1.0 may. */
  readonly extensions?: readonly Extension[] | null;
}

/** RFC 8446 section 4.1.3, as it stands there. */
export const retryRandom = new Uint8Array(
  Buffer.from("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C", "hex"),
);

export function serverHelloBody(parts: ServerHelloParts = {}): Uint8Array {
  const sessionId = parts.sessionId ?? filler(32, 30);
  const extensions = parts.extensions === undefined ? [extension(0xff01, Uint8Array.of(0))] : parts.extensions;
  return bytesOf(
    uint16Bytes(parts.legacyVersion ?? 0x0303),
    parts.random ?? filler(32, 31),
    sessionId.length,
    sessionId,
    uint16Bytes(0xc02f),
    0,
    extensions === null ? new Uint8Array(0) : extensionsBlock(extensions),
  );
}

export function serverHello(parts: ServerHelloParts = {}): Uint8Array {
  return handshake(serverHelloBody(parts), 2);
}

/** supported_versions of a ServerHello: the one version. */
export function selectedVersion(version = 0x0304): Extension {
  return extension(43, uint16Bytes(version));
}

/** pre_shared_key of a ServerHello: the index of the identity. */
export function selectedIdentity(index: number): Extension {
  return extension(41, uint16Bytes(index));
}

/** A ServerHello of TLS 1.3, with more extensions behind the version. */
export function serverHello13(...more: readonly Extension[]): Uint8Array {
  return serverHello({ extensions: [selectedVersion(), ...more] });
}

export const helloRetryRequest = serverHello({
  random: retryRandom,
  extensions: [selectedVersion(), extension(51, uint16Bytes(0x0017))],
});

/** What a full handshake sends behind the ServerHello, the certificates as long as told. */
export function fullFlight(certificateBytes = 900): Uint8Array {
  return bytesOf(
    handshake(filler(certificateBytes, 32), 11),
    handshake(filler(300, 33), 12),
    handshake(new Uint8Array(0), 14),
  );
}

export function newSessionTicket(ticket: Uint8Array, declaredLength = ticket.length): Uint8Array {
  return handshake(bytesOf(0, 0, 0x1c, 0x20, uint16Bytes(declaredLength), ticket), 4);
}

export const changeCipherSpec = record(Uint8Array.of(1), 0x0303, 20);
/** Behind the ChangeCipherSpec: a Finished that can't be read. */
export const encryptedFinished = record(filler(40, 34), 0x0303);
export const applicationData = record(filler(60, 35), 0x0303, 23);

export function alert(level: number, description: number): Uint8Array {
  return record(Uint8Array.of(level, description), 0x0303, 21);
}

/** Messages in as few records as can be. */
export function messages(...all: readonly Uint8Array[]): Uint8Array {
  return records(bytesOf(...all), 2 ** 14, 0x0303);
}
