import type { Happening, VirtualTime } from "./virtual-time.ts";

/** How bad the network is. */
export interface Weather {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** Shares of all messages, 0 to 1. */
  readonly lostShare: number;
  readonly doubledShare: number;
}

export interface NetworkCounts {
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  /** Lost because the node was cut off. */
  readonly cutOff: number;
}

/**
 * Between each node and the log's server. Every message takes its own time, so later ones overtake earlier ones; some
 * come twice, some never. A node that is cut off hears and says nothing, and what was on its way is lost.
 */
export class VirtualNetwork {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #weather: Weather;
  /** By node: until when it is cut off. */
  readonly #cutUntilMs: Float64Array;
  #counts = { sent: 0, lost: 0, doubled: 0, cutOff: 0 };

  /** `random` gives numbers from 0 to below 1. */
  constructor(time: VirtualTime, random: () => number, weather: Weather, nodes: number) {
    this.#time = time;
    this.#random = random;
    this.#weather = weather;
    this.#cutUntilMs = new Float64Array(nodes);
  }

  get counts(): NetworkCounts {
    return { ...this.#counts };
  }

  /** Cuts a node off until a time; Infinity for ever. */
  cut(node: number, untilMs: number): void {
    this.#cutUntilMs[node] = Math.max(this.#cutUntilMs[node] as number, untilMs);
  }

  /** Sends a message between a node and the server, whichever way. */
  send(node: number, arrive: Happening): void {
    this.#counts.sent += 1;
    const { lostShare, doubledShare } = this.#weather;
    const fate = this.#random();
    if (fate < lostShare) {
      this.#counts.lost += 1;
      return;
    }
    this.#carry(node, arrive);
    if (fate >= 1 - doubledShare) {
      this.#counts.doubled += 1;
      this.#carry(node, arrive);
    }
  }

  #carry(node: number, arrive: Happening): void {
    const { delayMinMs, delayMaxMs } = this.#weather;
    const sentCut = this.#isCut(node);
    this.#time.after(delayMinMs + this.#random() * (delayMaxMs - delayMinMs), () => {
      if (!sentCut && !this.#isCut(node)) return arrive();
      this.#counts.cutOff += 1;
    });
  }

  #isCut(node: number): boolean {
    return this.#time.nowMs < (this.#cutUntilMs[node] as number);
  }
}
