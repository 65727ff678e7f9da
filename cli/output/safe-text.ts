/**
 * Characters that act on a terminal or reorder what it shows: C0, DEL and C1 controls, line and paragraph separators,
 * bidirectional controls (CVE-2021-42574), zero-width marks, lone surrogates. Names come from files and from other
 * people; none of these may reach a screen.
 */
const unsafe =
  // eslint-disable-next-line no-control-regex -- the control characters are the point
  /[\u0000-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]|\p{Cs}/gu;

/** Text for one line of output, with every unsafe character as its escape. */
export function safeText(text: string): string {
  return text.replace(unsafe, escape);
}

/**
 * The same for a whole JSON document, in which line breaks are layout. Inside of JSON strings the escapes are JSON's
 * own, so that the document still means the same.
 */
export function safeDocument(text: string): string {
  return text.replace(unsafe, (character) => (character === "\n" ? character : escape(character)));
}

export function isSafe(text: string): boolean {
  return text.search(unsafe) < 0;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
