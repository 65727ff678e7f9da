/** Characters that take two columns: those of East Asian scripts, and emoji. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|[\u{20000}-\u{3FFFD}]/u;

/** Characters that are drawn on the one before. */
const joined = /^\p{M}$/u;

/** Columns that one character takes on a terminal. */
function columnsOf(character: string): number {
  if (joined.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Columns that a text takes on a terminal; of text that `safeText` has made safe. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** The beginning of a text that takes at most so many columns. */
export function clipped(text: string, widthMax: number): string {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += columnsOf(character);
    if (width > widthMax) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** Blanks at the end, up to a width in columns. */
export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}
