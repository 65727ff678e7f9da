/**
 * The one normaliser of server names: routes, lookup, logs and metrics all see a name after it.
 *
 * A name is printable ASCII (0x21 to 0x7e), folded to lower case, without its one trailing dot, 1 to 253 bytes, in
 * labels of 1 to 63 bytes (RFC 6066 section 3, RFC 1035 section 2.3.4). An IP literal or an underscore is a name like
 * any other: clients send them. Nothing is percent-decoded.
 */

/** A normalised server name. */
export type ServerName = string & { readonly __brand: "ServerName" };

/** Why a name is refused; each is a reason code of the closed set in `reason.ts`. */
export type ServerNameFault = "name_empty" | "name_too_long" | "name_character" | "name_label_length";

/** Longest name in bytes, trailing dot not counted (RFC 1035 section 2.3.4, in text form). */
export const serverNameBytesMax = 253;

const labelBytesMax = 63;

/** The negative answers of {@link normaliseServerName}: `faults[-1 - answer]` is the reason. */
const faults: readonly ServerNameFault[] = ["name_empty", "name_too_long", "name_character", "name_label_length"];

const EMPTY = -1;
const TOO_LONG = -2;
const CHARACTER = -3;
const LABEL_LENGTH = -4;

/**
 * Normalises the bytes `source[start, end)` into `target` from `at` on, without making a string.
 *
 * @returns the number of bytes written (1 to 253), or a negative number that {@link serverNameFault} explains; then
 *   `target` may hold a part of the name. `target` needs room for 253 bytes from `at`.
 */
export function normaliseServerName(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  if (end > start && source[end - 1] === 0x2e) end -= 1;
  const length = end - start;
  if (length === 0) return EMPTY;
  if (length > serverNameBytesMax) return TOO_LONG;
  let labelLength = 0;
  for (let index = 0; index < length; index += 1) {
    const byte = source[start + index] as number;
    if (byte <= 0x20 || byte >= 0x7f) return CHARACTER;
    if (byte === 0x2e) {
      if (labelLength === 0) return LABEL_LENGTH;
      labelLength = 0;
    } else {
      labelLength += 1;
      if (labelLength > labelBytesMax) return LABEL_LENGTH;
    }
    target[at + index] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  }
  return labelLength === 0 ? LABEL_LENGTH : length;
}

/** The reason behind a negative answer of {@link normaliseServerName}. */
export function serverNameFault(answer: number): ServerNameFault {
  const fault = faults[-1 - answer];
  if (fault === undefined) throw new RangeError(`no fault for ${answer}`);
  return fault;
}

const scratch = new Uint8Array(serverNameBytesMax);
const scratchSource = new Uint8Array(serverNameBytesMax + 2);

/** The same for text, as an operator or the CLI writes it. */
export function parseServerName(text: string): { readonly name: ServerName } | { readonly fault: ServerNameFault } {
  if (text.length > scratchSource.length) return { fault: "name_too_long" };
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return { fault: "name_character" };
    scratchSource[index] = code;
  }
  const length = normaliseServerName(scratchSource, 0, text.length, scratch, 0);
  if (length < 0) return { fault: serverNameFault(length) };
  return { name: asciiText(scratch, 0, length) as ServerName };
}

/** The text of ASCII bytes `bytes[start, end)`. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index += 1) text += String.fromCharCode(bytes[index] as number);
  return text;
}
