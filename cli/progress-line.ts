import type { CliContext } from "./context.ts";
import { isTerminal, print } from "./context.ts";
import { safeText } from "./output/safe-text.ts";

const clearToEnd = "\u001B[K";

/** How something stands that takes its time: one line in its place on a terminal, elsewhere a line for each change. */
export class ProgressLine {
  readonly #context: CliContext;
  #shown = "";

  constructor(context: CliContext) {
    this.#context = context;
  }

  async show(text: string): Promise<void> {
    if (text === this.#shown) return;
    this.#shown = text;
    const { stdout } = this.#context;
    if (!isTerminal(this.#context)) return print(this.#context, `${safeText(text)}\n`);
    // A line that wraps can't be written over.
    const columns = "columns" in stdout && typeof stdout.columns === "number" ? stdout.columns : 80;
    await print(this.#context, `\r${safeText(text).slice(0, Math.max(1, columns - 1))}${clearToEnd}`);
  }

  /** What is printed next stands on a line of its own. */
  async end(): Promise<void> {
    if (isTerminal(this.#context) && this.#shown !== "") await print(this.#context, "\n");
    this.#shown = "";
  }
}
