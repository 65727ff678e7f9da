import type { Rollout } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { CliContext } from "../context.ts";
import { isTerminal, print } from "../context.ts";
import { clipped } from "../output/display-width.ts";
import { documentText } from "../output/output-form.ts";
import type { OutputForm } from "../output/output-form.ts";
import { rolloutText } from "../output/rollout-status-text.ts";
import { safeDocument, safeText } from "../output/safe-text.ts";
import { rolloutChanges } from "./rollout-changes.ts";
import { rolloutJson } from "./rollout-steps.ts";

/** Where a watched rollout is shown. */
export interface RolloutDisplay {
  show(rollout: Rollout): Promise<void>;
  /** The control plane is gone; what was shown is old. */
  lost(why: string): Promise<void>;
  /** The last line. Nothing is shown after it. */
  end(text: string): Promise<void>;
  /** Gives back what it holds, however watching ended. */
  close(): void;
}

export function rolloutDisplay(context: CliContext, form: OutputForm): RolloutDisplay {
  if (form !== "text") return new Documents(context, form);
  return isTerminal(context) ? new RedrawnRollout(context) : new AppendedChanges(context);
}

const columnsFallback = 80;

/** What is left of a time goes down between answers, and a terminal that was resized is drawn anew. */
const redrawEveryMs = 1000;

/**
 * A terminal: the whole, in place. Each line is written over the one that was there and cleared behind its end, so that nothing
 * flickers; a frame is one write.
 */
class RedrawnRollout implements RolloutDisplay {
  readonly #context: CliContext;
  #rollout: Rollout | undefined;
  #shownAtMs = 0;
  #notice = "";
  #drawn = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: CliContext) {
    this.#context = context;
  }

  async show(rollout: Rollout): Promise<void> {
    this.#rollout = rollout;
    this.#shownAtMs = performance.now();
    this.#notice = "";
    this.#timer ??= setInterval(() => this.#redraw(), redrawEveryMs);
    await print(this.#context, this.#frame());
  }

  async lost(why: string): Promise<void> {
    this.#notice = `${safeText(why)}; trying again. What was seen last:`;
    await print(this.#context, this.#frame());
  }

  async end(text: string): Promise<void> {
    this.close();
    await print(this.#context, `${safeText(text)}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A terminal that is slow misses frames. */
  #redraw(): void {
    if (!this.#context.stdout.writableNeedDrain) this.#context.stdout.write(this.#frame());
  }

  #frame(): string {
    if (this.#rollout === undefined) return "";
    const { columns, rows } = sizeOf(this.#context);
    const ageMs = performance.now() - this.#shownAtMs;
    // The last column stays free: some terminals break the line once it is filled.
    const shape = { width: Math.max(1, columns - 1), ageMs };
    const notice = this.#notice === "" ? [] : [clipped(this.#notice, shape.width), ""];
    const linesOf = (regions: boolean): string[] => [
      ...notice,
      ...rolloutText(this.#context, this.#rollout as Rollout, { ...shape, regions })
        .trimEnd()
        .split("\n"),
    ];
    const whole = linesOf(true);
    const lines = whole.length < rows - 1 ? whole : linesOf(false);
    // A screen that scrolls can't be drawn over; the line below is for the end.
    const shown = lines.length < rows - 1 ? lines : [...lines.slice(0, Math.max(1, rows - 3)), "..."];
    const first = this.#drawn ? "" : "\u001B[2J";
    this.#drawn = true;
    return `${first}\u001B[H${shown.map((line) => `${line}\u001B[K\n`).join("")}\u001B[J`;
  }
}

function sizeOf({ stdout }: CliContext): { readonly columns: number; readonly rows: number } {
  const columns = "columns" in stdout && typeof stdout.columns === "number" ? stdout.columns : columnsFallback;
  const rows = "rows" in stdout && typeof stdout.rows === "number" ? stdout.rows : Number.POSITIVE_INFINITY;
  return { columns, rows };
}

/** A file or a pipe: a line for each change. */
class AppendedChanges implements RolloutDisplay {
  readonly #context: CliContext;
  #before: Rollout | undefined;

  constructor(context: CliContext) {
    this.#context = context;
  }

  async show(rollout: Rollout): Promise<void> {
    for (const line of rolloutChanges(this.#before, rollout)) await this.#line(line);
    this.#before = rollout;
  }

  lost(why: string): Promise<void> {
    return this.#line(`${why}; trying again`);
  }

  end(text: string): Promise<void> {
    return this.#line(text);
  }

  close(): void {
    // Holds nothing.
  }

  async #line(text: string): Promise<void> {
    const time = `${new Date().toISOString().slice(0, 19).replace("T", " ")}Z`;
    await print(this.#context, `${time} ${safeText(text)}\n`);
  }
}

/** Scripts: the whole rollout each time, one JSON object a line or one YAML document; nothing else. */
class Documents implements RolloutDisplay {
  readonly #context: CliContext;
  readonly #form: "yaml" | "json";

  constructor(context: CliContext, form: "yaml" | "json") {
    this.#context = context;
    this.#form = form;
  }

  async show(rollout: Rollout): Promise<void> {
    const json = rolloutJson(rollout);
    const text =
      this.#form === "json" ? `${safeDocument(JSON.stringify(json))}\n` : `---\n${documentText(json, "yaml")}`;
    await print(this.#context, text);
  }

  async lost(why: string): Promise<void> {
    this.#context.stderr.write(`${safeText(why)}; trying again\n`);
  }

  async end(): Promise<void> {
    // The last document says it.
  }

  close(): void {
    // Holds nothing.
  }
}
