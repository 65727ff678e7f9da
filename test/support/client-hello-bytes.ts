/** What a made ClientHello is like. It is well-formed unless the values are not. */
export interface HelloShape {
  /** Null announces none. Default: `app.test`. */
  readonly serverName?: string | null;
  /** `legacy_version`; default TLS 1.2. */
  readonly legacyVersion?: number;
  /** Of the record headers; default TLS 1.0, as most clients write it. */
  readonly recordVersion?: number;
  /** Bytes of a padding extension (RFC 7685); 0 for none. */
  readonly paddingBytes?: number;
  /** The handshake message is cut into records of this many bytes; default 2^14. */
  readonly fragmentBytes?: number;
}

/** A ClientHello as it goes over the wire, TLS records and all (RFC 8446 section 4.1.2). */
export function clientHelloBytes(shape: HelloShape = {}): Buffer {
  const { serverName = "app.test", legacyVersion = 0x0303, recordVersion = 0x0301 } = shape;
  const { paddingBytes = 0, fragmentBytes = 2 ** 14 } = shape;
  const extensions: Buffer[] = [];
  if (serverName !== null) {
    const name = Buffer.from(serverName, "latin1");
    extensions.push(extension(0, vector(2, Buffer.concat([Buffer.of(0), vector(2, name)]))));
  }
  if (paddingBytes > 0) extensions.push(extension(21, Buffer.alloc(paddingBytes)));
  const body = Buffer.concat([
    uint(2, legacyVersion),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, Buffer.of(0x13, 0x01, 0xc0, 0x2f)),
    vector(1, Buffer.of(0)),
    vector(2, Buffer.concat(extensions)),
  ]);
  const message = Buffer.concat([Buffer.of(1), vector(3, body)]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += fragmentBytes) {
    const fragment = message.subarray(at, at + fragmentBytes);
    records.push(Buffer.of(22), uint(2, recordVersion), vector(2, fragment));
  }
  return Buffer.concat(records);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([uint(2, type), vector(2, content)]);
}

/** Bytes after their length, in `lengthBytes` bytes. */
function vector(lengthBytes: number, content: Buffer): Buffer {
  return Buffer.concat([uint(lengthBytes, content.length), content]);
}

function uint(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
