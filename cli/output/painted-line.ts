import type { CliContext } from "../context.ts";
import { paint } from "../context.ts";
import { clipped, displayWidth } from "./display-width.ts";
import { safeText } from "./safe-text.ts";

export type Colour = Parameters<typeof paint>[1];

/** A piece of a line, in one colour. Any text may come here: it is made safe as it is drawn. */
export interface Span {
  readonly text: string;
  readonly colour?: Colour;
}

/** A line before it is known how wide the terminal is. */
export type PaintedLine = readonly Span[];

export function plain(text: string): PaintedLine {
  return [{ text }];
}

/** The line as text without its end; past the width nothing of it is drawn, as a line that wraps can't be drawn over. */
export function drawnLine(context: CliContext, line: PaintedLine, widthMax: number): string {
  let left = widthMax;
  let drawn = "";
  for (const { text, colour } of line) {
    const shown = clipped(safeText(text), left);
    left -= displayWidth(shown);
    if (shown !== "") drawn += colour === undefined ? shown : paint(context, colour, shown);
  }
  return drawn.trimEnd();
}

/** Text in lines of at most so many columns, broken between words; a word that is longer stands alone. */
export function wrapped(text: string, widthMax: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of safeText(text).split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || displayWidth(longer) <= widthMax) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === "" ? lines : [...lines, line];
}
