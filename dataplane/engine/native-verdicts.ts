import { type IpAddress, joinSocketAddress, type SocketAddress } from "../../model/address.ts";
import type { CloseReason } from "../../model/reason.ts";
import type { ConnectionId, ConnectVerdict } from "./engine.ts";
import { familyOffset, packAddress, packedAddressBytes } from "./native-address.ts";
import { generationOf, slotOf } from "./native-batch.ts";
import {
  connectOffset,
  headerOffset,
  prefixBytesMax,
  reasonCode,
  rejectOffset,
  verdictKind,
  waitOffset,
} from "./native-wire.ts";

/** Handed over after so many, so that the engine's threads need not wait for the end of a long batch. */
const verdictsMax = 128;
const verdictBytesMax = connectOffset.prefix + prefixBytesMax;
/** Parsed addresses that are kept; when there are more the cache starts over. */
const addressesMax = 10_000;
/** Seven days, the longest that a configuration allows; the engine compares times as 32 bits of milliseconds. */
const timeoutMaxMs = 7 * 24 * 3_600_000;

/** Where a verdict goes: to the connection that the record at hand is about. */
export interface VerdictTarget {
  readonly slot: number;
  readonly generation: number;
  /** Whether the hello was complete; read by the engine from the first verdict. */
  readonly helloComplete: boolean;
  /** Bytes at the head of the client's stream that are not passed on; read by the engine from the first verdict. */
  readonly skippedBytes: number;
}

/** Of a verdict that is not the first: the engine remembers from that one whether the hello was complete. */
export function laterTarget(id: ConnectionId): VerdictTarget {
  return { slot: slotOf(id), generation: generationOf(id), helloComplete: false, skippedBytes: 0 };
}

/** Writes verdicts as records into one buffer, which `submit` hands to the engine. */
export class NativeVerdicts {
  readonly #bytes = new Uint8Array(verdictsMax * 512 + verdictBytesMax);
  readonly #uint16 = new Uint16Array(this.#bytes.buffer);
  readonly #uint32 = new Uint32Array(this.#bytes.buffer);
  readonly #submit: (records: Uint8Array, length: number) => void;
  readonly #addresses = new Map<SocketAddress, Uint8Array>();
  #length = 0;
  #count = 0;

  constructor(submit: (records: Uint8Array, length: number) => void) {
    this.#submit = submit;
  }

  /** Throws on an address that is none, and on a prefix that is too long; then nothing was written. */
  connect(target: VerdictTarget, verdict: ConnectVerdict): void {
    const { prefix } = verdict;
    if (prefix.length > prefixBytesMax) throw new RangeError(`a prefix of ${prefix.length} bytes is too long`);
    const address = this.#packed(verdict.address);
    const source = verdict.source === null ? null : packedSource(verdict.source);
    const at = this.#begin(target, verdictKind.connect, 0, connectOffset.prefix + prefix.length);
    this.#word(at + connectOffset.connectTimeoutMs, milliseconds(verdict.connectTimeoutMs));
    this.#word(at + connectOffset.serverIdleTimeoutMs, milliseconds(verdict.serverIdleTimeoutMs));
    this.#word(at + connectOffset.halfCloseTimeoutMs, milliseconds(verdict.halfCloseTimeoutMs));
    this.#word(at + connectOffset.tapBytesMax, Math.min(Math.max(verdict.tapServerBytesMax, 0), 2 ** 31));
    for (let index = 0; index < packedAddressBytes; index += 1)
      this.#bytes[at + connectOffset.address + index] = address[index] as number;
    if (source === null) this.#bytes[at + connectOffset.source + familyOffset] = 0;
    else this.#bytes.set(source, at + connectOffset.source);
    this.#word(at + connectOffset.prefixLength, prefix.length);
    this.#word(at + connectOffset.skippedBytes, target.skippedBytes);
    if (prefix.length > 0) this.#bytes.set(prefix, at + connectOffset.prefix);
  }

  /** @param alert the whole record, or empty for none */
  reject(target: VerdictTarget, reason: CloseReason, alert: Uint8Array): void {
    const at = this.#begin(target, verdictKind.reject, reasonCode(reason), rejectOffset.alert + alert.length);
    this.#word(at + rejectOffset.alertLength, alert.length);
    this.#bytes.set(alert, at + rejectOffset.alert);
  }

  /** A verdict comes later. */
  wait(target: VerdictTarget): void {
    const at = this.#begin(target, verdictKind.wait, 0, waitOffset.end);
    this.#word(at + waitOffset.skippedBytes, target.skippedBytes);
  }

  /** The hello goes on behind the bytes that were shown. */
  moreBytes(target: VerdictTarget): void {
    this.#begin(target, verdictKind.moreBytes, 0, 16);
  }

  flush(): void {
    if (this.#count > 0) this.#submit(this.#bytes, this.#length);
    this.#length = 0;
    this.#count = 0;
  }

  #begin(target: VerdictTarget, kind: number, code: number, length: number): number {
    const size = (length + 7) & ~7;
    if (this.#count === verdictsMax || this.#length + size > this.#bytes.length) this.flush();
    const at = this.#length;
    this.#word(at + headerOffset.size, size);
    this.#bytes[at + headerOffset.kind] = kind;
    this.#bytes[at + headerOffset.code] = code;
    this.#uint16[(at + headerOffset.listener) >> 1] = target.helloComplete ? 1 : 0;
    this.#word(at + headerOffset.slot, target.slot);
    this.#word(at + headerOffset.generation, target.generation);
    this.#length += size;
    this.#count += 1;
    return at;
  }

  #packed(address: SocketAddress): Uint8Array {
    const known = this.#addresses.get(address);
    if (known !== undefined) return known;
    const packed = packAddress(address);
    if (this.#addresses.size >= addressesMax) this.#addresses.clear();
    this.#addresses.set(address, packed);
    return packed;
  }

  #word(at: number, value: number): void {
    this.#uint32[at >> 2] = value;
  }
}

function packedSource(source: IpAddress): Uint8Array {
  return packAddress(joinSocketAddress(source, 0));
}

/** Whole milliseconds within what the engine can count; rounded up, so that no timeout comes early. */
function milliseconds(value: number): number {
  return Math.min(Math.max(Math.ceil(value), 0), timeoutMaxMs);
}
