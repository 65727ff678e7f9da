import type { FlightFacts } from "./flight-facts.ts";
import { ServerHelloWalk } from "./server-hello-walk.ts";
import { noBytes, uint16 } from "./span.ts";

const contentType = { change_cipher_spec: 20, alert: 21, handshake: 22 } as const;
const messageType = { server_hello: 2, new_session_ticket: 4 } as const;
/** In the place of a content type: the rest of the record says nothing more. */
const passedOver = 0;
const warningLevel = 1;
const tls12 = 0x0303;

/** Longest plaintext fragment of one record (RFC 8446 section 5.1). */
const fragmentBytesMax = 2 ** 14;
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
/** version, random, the session id's length, suite, compression. */
const serverHelloBytesMin = 38;
/** ticket_lifetime_hint and the ticket's length (RFC 5077 section 3.3). */
const ticketAt = 6;
const ticketHeadBytesMax = 32;

type Facts = { -readonly [Name in keyof FlightFacts]: FlightFacts[Name] };

/** Where a `ServerFlightReader` is in the records and handshake messages, and what it has found. */
export class FlightWalk {
  readonly facts: Facts = {
    answer: "nothing",
    retried: false,
    version: 0,
    sessionId: noBytes,
    pskSelected: -1,
    abbreviated: false,
    ticketHead: null,
    settled: false,
  };

  /** Of the record's header; then it stays at 5 until the fragment is read. */
  #recordHeaderRead = 0;
  #recordType = 0;
  #fragmentLeft = 0;

  #messageHeaderRead = 0;
  #messageType = 0;
  #bodyLength = 0;
  #bodyLeft = 0;
  #hello: ServerHelloWalk | null = null;
  /** The first bytes of a NewSessionTicket: as much as is looked at. */
  #ticket = noBytes;
  /** A message of a full handshake followed the ServerHello. */
  #full = false;

  get bytesHeld(): number {
    return (this.#hello?.sessionId.length ?? 0) + this.#ticket.length;
  }

  read(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.facts.settled) {
      if (this.#recordHeaderRead < recordHeaderBytes) {
        this.#readRecordHeader(bytes[at] as number);
        at += 1;
      } else {
        const end = Math.min(bytes.length, at + this.#fragmentLeft);
        this.#fragmentLeft -= end - at;
        if (this.#recordType === contentType.handshake) this.#readMessages(bytes, at, end);
        else if (this.#recordType === contentType.change_cipher_spec) this.#changeCipherSpec(bytes[at] as number);
        else if (this.#recordType === contentType.alert) this.#readAlert(bytes[at] as number);
        if (this.#fragmentLeft === 0) this.#recordHeaderRead = 0;
        at = end;
      }
    }
  }

  #readRecordHeader(byte: number): void {
    switch (this.#recordHeaderRead) {
      case 0:
        if (this.facts.answer === "nothing") this.facts.answer = "other";
        if (byte < contentType.change_cipher_spec || byte > contentType.handshake) return this.#giveUp();
        this.#recordType = byte;
        break;
      case 1:
        if (byte !== 3) return this.#giveUp();
        break;
      case 3:
        this.#fragmentLeft = byte << 8;
        break;
      case 4:
        this.#fragmentLeft |= byte;
        if (this.#fragmentLeft === 0 || this.#fragmentLeft > fragmentBytesMax) return this.#giveUp();
        if (this.#recordType === contentType.change_cipher_spec && this.#fragmentLeft !== 1) return this.#giveUp();
        break;
      default:
    }
    this.#recordHeaderRead += 1;
  }

  /** TLS 1.3 sends one behind its first message that means nothing (RFC 8446 appendix D.4). */
  #changeCipherSpec(byte: number): void {
    if (byte !== 1 || this.#messageHeaderRead > 0) return this.#giveUp();
    if (this.facts.answer === "hello_retry") return;
    if (this.facts.answer !== "server_hello") return this.#giveUp();
    this.facts.abbreviated = !this.#full;
    this.facts.settled = true;
  }

  /** Some servers send a warning before their hello (`unrecognized_name`, mostly); any other alert is the end. */
  #readAlert(level: number): void {
    if (this.facts.answer !== "server_hello") this.facts.answer = "alert";
    if (level !== warningLevel) this.facts.settled = true;
    else this.#recordType = passedOver;
  }

  #readMessages(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.facts.settled) {
      if (this.#messageHeaderRead < messageHeaderBytes) {
        this.#readMessageHeader(bytes[at] as number);
        at += 1;
      } else {
        const bodyEnd = Math.min(end, at + this.#bodyLeft);
        this.#readBody(bytes, at, bodyEnd);
        at = bodyEnd;
      }
      if (this.#messageHeaderRead === messageHeaderBytes && this.#bodyLeft === 0) this.#endMessage();
    }
  }

  #readMessageHeader(byte: number): void {
    this.#messageHeaderRead += 1;
    if (this.#messageHeaderRead === 1) {
      this.#messageType = byte;
      this.#bodyLength = 0;
      return;
    }
    this.#bodyLength = (this.#bodyLength << 8) | byte;
    if (this.#messageHeaderRead === messageHeaderBytes) this.#beginMessage();
  }

  #beginMessage(): void {
    this.#bodyLeft = this.#bodyLength;
    const greeted = this.facts.answer === "server_hello";
    switch (this.#messageType) {
      case messageType.server_hello:
        if (greeted || this.#bodyLength < serverHelloBytesMin) return this.#giveUp();
        this.#hello = new ServerHelloWalk(this.#bodyLength);
        break;
      case messageType.new_session_ticket:
        if (!greeted || this.#bodyLength < ticketAt) return this.#giveUp();
        this.#ticket = new Uint8Array(Math.min(this.#bodyLength, ticketAt + ticketHeadBytesMax));
        break;
      default:
        if (!greeted) return this.#giveUp();
        this.#full = true;
    }
  }

  #readBody(bytes: Uint8Array, start: number, end: number): void {
    if (this.#messageType === messageType.new_session_ticket) {
      const from = this.#bodyLength - this.#bodyLeft;
      if (from < this.#ticket.length)
        this.#ticket.set(bytes.subarray(start, Math.min(end, start + this.#ticket.length - from)), from);
    }
    if (this.#hello !== null && !this.#hello.read(bytes, start, end)) return this.#giveUp();
    this.#bodyLeft -= end - start;
  }

  #endMessage(): void {
    this.#messageHeaderRead = 0;
    if (this.#hello !== null) this.#endHello(this.#hello);
    else if (this.#messageType === messageType.new_session_ticket) this.#endTicket();
  }

  #endHello(hello: ServerHelloWalk): void {
    this.#hello = null;
    const { facts } = this;
    if (hello.isRetry) {
      if (facts.answer === "hello_retry") return this.#giveUp();
      facts.answer = "hello_retry";
      facts.retried = true;
      return;
    }
    facts.answer = "server_hello";
    facts.version = hello.selectedVersion === 0 ? hello.legacyVersion : hello.selectedVersion;
    if (facts.version > tls12) {
      facts.pskSelected = hello.pskSelected;
      facts.settled = true;
    } else {
      facts.sessionId = hello.sessionId;
    }
  }

  /** An empty ticket says that there is none after all (RFC 5077 section 3.3). */
  #endTicket(): void {
    const length = uint16(this.#ticket, ticketAt - 2);
    if (length !== this.#bodyLength - ticketAt) return this.#giveUp();
    this.facts.ticketHead = length === 0 ? null : this.#ticket.slice(ticketAt);
  }

  /** No server sends this: what was understood before stands. */
  #giveUp(): void {
    if (this.facts.answer !== "server_hello") this.facts.answer = "other";
    this.facts.settled = true;
  }
}
