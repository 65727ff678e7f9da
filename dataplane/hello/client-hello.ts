import { asciiText, type ServerName } from "../../model/server-name.ts";
import { readableRecordVersion } from "./alert-record.ts";
import { isGrease } from "./grease.ts";
import type { ExtensionsFound } from "./parse-extensions.ts";
import type { Span } from "./span.ts";

/**
 * A ClientHello that was understood: every length in it agrees with the others (`parse-client-hello.ts`).
 *
 * It holds offsets into the bytes that it was read from, and makes strings and views only when asked. Views, and the
 * hello itself, are valid as long as those bytes are; {@link retained} is for who keeps it. `nameBytes` is its own.
 */
export class ClientHello {
  /** Of the first record's header, as the client wrote it. */
  readonly recordVersion: number;
  /** The body's `legacy_version`: the highest version on offer, where supported_versions is absent. */
  readonly legacyVersion: number;
  /** The server name after `normaliseServerName`; empty where the client named none. */
  readonly nameBytes: Uint8Array;
  /** The client sent encrypted_client_hello (RFC 9849); the name in clear is then the public one, or GREASE. */
  readonly encryptedClientHello: boolean;
  /** The client announces 0-RTT data (RFC 8446 section 4.2.10), which follows its hello at once. */
  readonly earlyData: boolean;

  readonly #body: Uint8Array;
  readonly #bodyStart: number;
  readonly #bodyEnd: number;
  readonly #sessionId: Span;
  readonly #extensions: ExtensionsFound;

  /**
   * For the parser only.
   * @param body holds the handshake body at `[bodyStart, bodyEnd)`, without the message's 4-byte header
   * @param sessionId and the spans of `extensions` count from `bodyStart`
   */
  constructor(
    body: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    recordVersion: number,
    legacyVersion: number,
    sessionId: Span,
    extensions: ExtensionsFound,
  ) {
    this.recordVersion = recordVersion;
    this.legacyVersion = legacyVersion;
    this.nameBytes = extensions.nameBytes;
    this.encryptedClientHello = extensions.encryptedClientHello;
    this.earlyData = extensions.earlyData;
    this.#body = body;
    this.#bodyStart = bodyStart;
    this.#bodyEnd = bodyEnd;
    this.#sessionId = sessionId;
    this.#extensions = extensions;
  }

  /** 1 to 253; 0 where the client named no server. */
  get nameLength(): number {
    return this.nameBytes.length;
  }

  /** For `alertRecord`. */
  get alertRecordVersion(): number {
    return readableRecordVersion(this.legacyVersion);
  }

  /** The server name as text; null where the client named none. */
  serverName(): ServerName | null {
    return this.nameLength === 0 ? null : (asciiText(this.nameBytes, 0, this.nameLength) as ServerName);
  }

  /** `legacy_session_id`, 0 to 32 bytes: a view. */
  get sessionId(): Uint8Array {
    return this.#view(this.#sessionId);
  }

  /** The TLS 1.2 ticket: a view; empty where the client only asks for a ticket, null without the extension. */
  get sessionTicket(): Uint8Array | null {
    return this.#extensions.sessionTicket === null ? null : this.#view(this.#extensions.sessionTicket);
  }

  /** The TLS 1.3 PSK identities (tickets, mostly), in the client's order: views of 1 byte or more. */
  pskIdentities(): Uint8Array[] {
    const identities: Uint8Array[] = [];
    const span = this.#extensions.pskIdentities;
    if (span === null) return identities;
    for (let at = span.start; at < span.end; ) {
      const start = at + 2;
      const end = start + this.#uint16(at);
      identities.push(this.#view({ start, end }));
      at = end + 4;
    }
    return identities;
  }

  /**
   * The versions of supported_versions in the client's order, without GREASE; empty where the extension is absent, and
   * then `legacyVersion` is the highest that the client speaks.
   */
  supportedVersions(): number[] {
    const versions: number[] = [];
    const span = this.#extensions.supportedVersions;
    if (span === null) return versions;
    for (let at = span.start; at < span.end; at += 2) {
      const version = this.#uint16(at);
      if (!isGrease(version)) versions.push(version);
    }
    return versions;
  }

  /** The protocols of ALPN in the client's order, without GREASE, one character per byte (Latin-1). */
  alpnProtocols(): string[] {
    const protocols: string[] = [];
    const span = this.#extensions.alpn;
    if (span === null) return protocols;
    for (let at = span.start; at < span.end; ) {
      const length = this.#byte(at);
      if (!this.#isGreaseProtocol(at + 1, length)) protocols.push(this.#latin1(at + 1, length));
      at += 1 + length;
    }
    return protocols;
  }

  /**
   * Where a protocol stands in {@link alpnProtocols}; -1 where it is not offered. Allocates nothing.
   *
   * @param protocol as bytes, or as text with one character per byte
   */
  alpnIndex(protocol: Uint8Array | string): number {
    const span = this.#extensions.alpn;
    if (span === null) return -1;
    let index = 0;
    for (let at = span.start; at < span.end; ) {
      const length = this.#byte(at);
      if (!this.#isGreaseProtocol(at + 1, length)) {
        if (length === protocol.length && this.#equals(at + 1, protocol)) return index;
        index += 1;
      }
      at += 1 + length;
    }
    return -1;
  }

  /** The same hello over its own copy of the body, valid for as long as anyone holds it. */
  retained(): ClientHello {
    const copy = this.#body.slice(this.#bodyStart, this.#bodyEnd);
    return new ClientHello(
      copy,
      0,
      copy.length,
      this.recordVersion,
      this.legacyVersion,
      this.#sessionId,
      this.#extensions,
    );
  }

  #byte(offset: number): number {
    return this.#body[this.#bodyStart + offset] as number;
  }

  #uint16(offset: number): number {
    return (this.#byte(offset) << 8) | this.#byte(offset + 1);
  }

  #view(span: Span): Uint8Array {
    return this.#body.subarray(this.#bodyStart + span.start, this.#bodyStart + span.end);
  }

  #latin1(offset: number, length: number): string {
    const start = this.#bodyStart + offset;
    return asciiText(this.#body, start, start + length);
  }

  #equals(offset: number, protocol: Uint8Array | string): boolean {
    for (let index = 0; index < protocol.length; index += 1) {
      const wanted = typeof protocol === "string" ? protocol.charCodeAt(index) : protocol[index];
      if (this.#byte(offset + index) !== wanted) return false;
    }
    return true;
  }

  #isGreaseProtocol(offset: number, length: number): boolean {
    return length === 2 && isGrease(this.#uint16(offset));
  }
}
