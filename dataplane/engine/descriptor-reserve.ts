import { readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { DeadlineWheel, Timed } from "./deadline-wheel.ts";
import { descriptorOf } from "./socket-handle.ts";

/** Descriptors that connections never take: they are for health checks, the log, the control link and the disk. */
const reservedMax = 64;
/** With very low limits the reserve is this share of them. */
const reservedShare = 1 / 8;
/** While accepting is paused, how often it is looked whether there is room again. */
const lookAgainMs = 500;

/**
 * Keeps the process away from its limit of descriptors.
 *
 * node:net can't leave connections in the kernel's queue: it accepts whatever comes, and once accept(2) fails with
 * EMFILE, libuv accepts with a spare descriptor and closes at once, without a word to anyone (`uv__emfile_trick`;
 * measured on Node 20). So accepting pauses a little earlier: while it does, new connections are closed, and
 * counted and reported like every other. The limit is read from /proc; where there is none, only libuv's way is left.
 */
export class DescriptorReserve implements Timed {
  /** Times that accepting paused. */
  pauses = 0;
  readonly #wheel: DeadlineWheel;
  readonly #fault: (error: Error) => void;
  readonly #limit: number;
  readonly #reserved: number;
  #paused = false;
  #lookAtMs = Number.POSITIVE_INFINITY;

  constructor(wheel: DeadlineWheel, fault: (error: Error) => void) {
    this.#wheel = wheel;
    this.#fault = fault;
    this.#limit = descriptorLimit();
    this.#reserved = Math.min(reservedMax, Math.floor(this.#limit * reservedShare));
  }

  /** Whether a connection that was just accepted may stay. */
  admits(client: Socket): boolean {
    if (this.#paused) return false;
    // The kernel gives the lowest number that is free, so all below it are in use.
    if (descriptorOf(client) < this.#limit - this.#reserved) return true;
    this.pause();
    return false;
  }

  /** Pauses accepting until there is room: also for who was told by the system that there is none. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.pauses += 1;
    this.#lookAgain();
    this.#fault(new Error(`accepting is paused: the process is at its limit of ${this.#limit} descriptors`));
  }

  deadlineMs(): number {
    return this.#lookAtMs;
  }

  expire(): void {
    // Twice the reserve, so that one connection that ends does not end the pause for one that comes.
    if (descriptorsInUse() <= this.#limit - 2 * this.#reserved) this.#paused = false;
    else this.#lookAgain();
  }

  close(): void {
    this.#wheel.forget(this);
  }

  #lookAgain(): void {
    this.#lookAtMs = performance.now() + lookAgainMs;
    this.#wheel.watch(this);
  }
}

/** The soft limit of this process; Infinity where the system does not say. */
function descriptorLimit(): number {
  const limits = readOr("", () => readFileSync("/proc/self/limits", "utf8"));
  const match = /^Max open files\s+(\d+)/m.exec(limits);
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
}

/** Infinity where they can't be counted, which takes a descriptor itself. */
function descriptorsInUse(): number {
  return readOr(Number.POSITIVE_INFINITY, () => readdirSync("/proc/self/fd").length);
}

function readOr<Value>(otherwise: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
