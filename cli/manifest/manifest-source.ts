import { LineIndex } from "./line-index.ts";

/** One text of a manifest: a file, or standard input. */
export class ManifestSource {
  /** As the user named it; `<stdin>` for standard input. */
  readonly name: string;
  readonly text: string;
  #lines: LineIndex | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** `web.yaml:3:7`. */
  place(offset: number): string {
    this.#lines ??= new LineIndex(this.text);
    const { line, column } = this.#lines.place(offset);
    return `${this.name}:${line}:${column}`;
  }
}
