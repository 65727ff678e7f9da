import type { Duration } from "../../proto/gen/google/protobuf/duration.ts";
import type { Violation, ViolationReason } from "../violation.ts";

/** A range of a number, with what stands for "not given". */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly fallback: number;
}

/**
 * Reads the fields of one message, and keeps a violation for each that can't be taken. Every method answers a usable
 * value even then, so that one pass finds everything that is wrong; the caller drops the result when any was found.
 */
export class FieldReader {
  readonly #path: string;
  readonly #violations: Violation[];

  /** `path` is that of the message in the request: empty, or for example `resources[3].farm`. */
  constructor(path: string, violations: Violation[]) {
    this.#path = path;
    this.#violations = violations;
  }

  refuse(field: string, reason: ViolationReason, description: string): void {
    this.#violations.push({ field: this.#path === "" ? field : `${this.#path}.${field}`, reason, description });
  }

  /** A whole number where 0 stands for "not given". */
  count(field: string, value: number, range: Range): number {
    if (value === 0) return range.fallback;
    return this.number(field, value, range);
  }

  number(field: string, value: number, range: Range): number {
    if (value >= range.min && value <= range.max) return value;
    this.refuse(field, "out_of_range", `${value} is not between ${range.min} and ${range.max}`);
    return range.fallback;
  }

  /** What a number of an enum stands for; undefined, and a violation, for one that stands for nothing. */
  choice<T>(field: string, value: number, choices: Readonly<Record<number, T>>): T | undefined {
    const choice = choices[value];
    if (choice === undefined) this.refuse(field, "malformed", `${String(value)} is none of its values`);
    return choice;
  }

  /** A duration in milliseconds; fractions of one are refused rather than rounded away. */
  durationMs(field: string, value: Duration | undefined, range: Range): number {
    if (value === undefined) return range.fallback;
    const ms = Number(value.seconds) * 1000 + value.nanos / 1_000_000;
    if (ms < range.min || ms > range.max) {
      this.refuse(
        field,
        "out_of_range",
        `${ms / 1000} s is not between ${range.min / 1000} s and ${range.max / 1000} s`,
      );
      return range.fallback;
    }
    if (Number.isInteger(ms)) return ms;
    this.refuse(field, "malformed", `${ms} ms is not a whole number of milliseconds`);
    return range.fallback;
  }

  /** Parses each element; keeps the good ones. Bounds the list, and refuses a value that stands in it twice. */
  list<T>(
    field: string,
    values: readonly string[],
    max: number,
    parse: (value: string, element: string) => T | undefined,
  ): readonly T[] {
    if (values.length > max) {
      this.refuse(field, "too_many", `${values.length} values; at most ${max} are allowed`);
      return [];
    }
    const seen = new Set<T>();
    for (const [index, value] of values.entries()) {
      const element = `${field}[${index}]`;
      const parsed = parse(value, element);
      if (parsed === undefined) continue;
      if (seen.has(parsed)) this.refuse(element, "duplicate", `${quoted(value)} stands in the list twice`);
      seen.add(parsed);
    }
    return seen.size === 0 ? none : [...seen];
  }
}

/** One empty list for all: a million routes have two each. */
const none: readonly never[] = [];

/** A value from outside, for a message: escaped, and cut to a readable length. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
