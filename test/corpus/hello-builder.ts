/**
 * Builds ClientHellos, right and wrong, from their parts: for tests, benchmarks and the fuzzer. It shares no code with the
 * reader, and checks nothing: every length can be made to lie.
 */

/** One extension: its type, its data, and where wanted another length than the data has. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
  readonly declaredLength?: number;
}

/** A ClientHello's fields; what is not given is as a plain TLS 1.2 and 1.3 client would have it. */
export interface HelloParts {
  readonly legacyVersion?: number;
  readonly random?: Uint8Array;
  readonly sessionId?: Uint8Array;
  readonly cipherSuites?: readonly number[];
  readonly compressionMethods?: Uint8Array;
  /** In this order; null leaves the whole block away, as a client of TLS 1.0 may. */
  readonly extensions?: readonly Extension[] | null;
}

export function bytesOf(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const length = parts.reduce<number>((sum, part) => sum + (typeof part === "number" ? 1 : part.length), 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "number") {
      bytes[at] = part;
      at += 1;
    } else {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes;
}

/** Text as bytes, one per character: "\u00e9" is the byte 0xe9. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function uint16Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** `length` bytes that look random, the same each time; `salt` makes others. */
export function filler(length: number, salt = 1): Uint8Array {
  let state = (salt * 2654435761 + 1) >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

function with16(data: Uint8Array, declaredLength = data.length): Uint8Array {
  return bytesOf(uint16Bytes(declaredLength), data);
}

function with8(data: Uint8Array): Uint8Array {
  return bytesOf(data.length, data);
}

export function extension(type: number, data: Uint8Array = new Uint8Array(0)): Extension {
  return { type, data };
}

/** An entry of server_name's list; type 0 is host_name. */
export function serverNameEntry(name: string | Uint8Array, type = 0): Uint8Array {
  return bytesOf(type, with16(typeof name === "string" ? latin1(name) : name));
}

export function serverName(name: string | Uint8Array): Extension {
  return extension(0, with16(serverNameEntry(name)));
}

/** server_name with these entries, or none. */
export function serverNameList(...entries: readonly Uint8Array[]): Extension {
  return extension(0, with16(bytesOf(...entries)));
}

export function alpn(...protocols: readonly string[]): Extension {
  return extension(16, with16(bytesOf(...protocols.map((protocol) => with8(latin1(protocol))))));
}

export function sessionTicket(ticket: Uint8Array): Extension {
  return extension(35, ticket);
}

export function supportedVersions(...versions: readonly number[]): Extension {
  return extension(43, with8(bytesOf(...versions.map(uint16Bytes))));
}

export function padding(length: number): Extension {
  return extension(21, new Uint8Array(length));
}

/** A key share of one group: 32 bytes for X25519 (0x001d), 1,216 for X25519MLKEM768 (0x11ec). */
export function keyShare(group = 0x001d, length = 32): Extension {
  return extension(51, with16(bytesOf(uint16Bytes(group), with16(filler(length, group)))));
}

/** pre_shared_key with these identities, and a binder of 32 bytes for each. It must be the last. */
export function preSharedKey(...identities: readonly Uint8Array[]): Extension {
  const entries = identities.map((identity) => bytesOf(with16(identity), filler(4, 7)));
  const binders = identities.map((_, index) => with8(filler(32, 50 + index)));
  return extension(41, bytesOf(with16(bytesOf(...entries)), with16(bytesOf(...binders))));
}

export const earlyData: Extension = extension(42);

/** encrypted_client_hello of the outer kind (RFC 9849 section 5). */
export function encryptedClientHello(length = 144): Extension {
  return extension(0xfe0d, bytesOf(0, 0, 1, 0, 1, 7, with16(filler(32, 9)), with16(filler(length, 10))));
}

/** What clients send besides, and the reader passes over. */
export const commonExtensions: readonly Extension[] = [
  extension(23),
  extension(0xff01, Uint8Array.of(0)),
  extension(10, with16(bytesOf(uint16Bytes(0x001d), uint16Bytes(0x0017), uint16Bytes(0x0018)))),
  extension(11, Uint8Array.of(1, 0)),
  extension(13, with16(bytesOf(...[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601].map(uint16Bytes)))),
  extension(45, Uint8Array.of(1, 1)),
];

/** The handshake body, without the message's header. */
export function helloBody(parts: HelloParts = {}): Uint8Array {
  const extensions = parts.extensions === undefined ? [serverName("a.test"), ...commonExtensions] : parts.extensions;
  const suites = parts.cipherSuites ?? [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030];
  return bytesOf(
    uint16Bytes(parts.legacyVersion ?? 0x0303),
    parts.random ?? filler(32, 3),
    with8(parts.sessionId ?? new Uint8Array(0)),
    with16(bytesOf(...suites.map(uint16Bytes))),
    with8(parts.compressionMethods ?? Uint8Array.of(0)),
    extensions === null ? new Uint8Array(0) : extensionsBlock(extensions),
  );
}

/** The extensions with the length of all before them. */
export function extensionsBlock(extensions: readonly Extension[], declaredLength?: number): Uint8Array {
  const all = bytesOf(
    ...extensions.map(({ type, data, declaredLength: length }) => bytesOf(uint16Bytes(type), with16(data, length))),
  );
  return with16(all, declaredLength);
}

/** A handshake message: type, 24-bit length, body. */
export function handshake(body: Uint8Array, type = 1, declaredLength = body.length): Uint8Array {
  return bytesOf(type, declaredLength >> 16, uint16Bytes(declaredLength & 0xffff), body);
}

/** One plaintext record. */
export function record(fragment: Uint8Array, version = 0x0301, contentType = 22, declaredLength?: number): Uint8Array {
  return bytesOf(contentType, uint16Bytes(version), with16(fragment, declaredLength));
}

/** A message over several records of at most `fragmentBytes` each. */
export function records(message: Uint8Array, fragmentBytes = 2 ** 14, version = 0x0301): Uint8Array {
  const all: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += fragmentBytes) {
    all.push(record(message.subarray(at, at + fragmentBytes), version));
  }
  return bytesOf(...all);
}

/** A whole hello as it is on the wire, in as few records as can be. */
export function hello(parts: HelloParts = {}): Uint8Array {
  return records(handshake(helloBody(parts)));
}

/** A hello with these extensions. */
export function helloWith(...extensions: readonly Extension[]): Uint8Array {
  return hello({ extensions });
}

/** What a browser of today sends: GREASE, a post-quantum key share, ECH, the name behind them; about 1.7 KB. */
export function browserHello(name: string): Uint8Array {
  return hello({
    sessionId: filler(32, 20),
    cipherSuites: [0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8],
    extensions: [
      extension(0x1a1a),
      extension(
        51,
        with16(bytesOf(0x4a, 0x4a, 0, 1, 0, keyShare(0x11ec, 1216).data.subarray(2), keyShare().data.subarray(2))),
      ),
      ...commonExtensions,
      extension(5, Uint8Array.of(1, 0, 0, 0, 0)),
      extension(18),
      extension(27, Uint8Array.of(2, 0, 2)),
      sessionTicket(new Uint8Array(0)),
      encryptedClientHello(),
      supportedVersions(0x8a8a, 0x0304, 0x0303),
      alpn("h2", "http/1.1"),
      serverName(name),
      extension(0x5a5a, Uint8Array.of(0)),
    ],
  });
}

/** An SSLv2-format ClientHello (RFC 5246 appendix E.2); version 0x0002 for SSL 2.0 itself. */
export function sslv2Hello(version = 0x0301): Uint8Array {
  const specs = bytesOf(0, 0, 0x2f, 0, 0, 0x35, 0, 0, 0x0a);
  const body = bytesOf(1, uint16Bytes(version), uint16Bytes(specs.length), 0, 0, 0, 16, specs, filler(16, 4));
  return bytesOf(0x80 | (body.length >> 8), body.length & 0xff, body);
}
