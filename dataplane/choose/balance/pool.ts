import type { Member } from "./member.ts";

/** Servers among which a balancer chooses, in the order of their names. Made anew when the configuration changes. */
export class Pool {
  readonly members: readonly Member[];
  /** Which of the farm's pools it is, the same after a change; undefined for one that serves a single choice. */
  readonly place: number | undefined;
  /** Room for one number a member, for the length of one choice. */
  readonly scratch: Float64Array;
  /** The members' weights and hashes side by side: a hash of all of a thousand servers does not wander through memory. */
  readonly weights: Float64Array;
  readonly firstHashes: Int32Array;
  readonly secondHashes: Int32Array;
  #weightsUpTo: Float64Array | undefined;

  constructor(members: readonly Member[], place?: number) {
    this.members = members;
    this.place = place;
    this.scratch = new Float64Array(members.length);
    this.weights = Float64Array.from(members, ({ server }) => server.weight);
    this.firstHashes = Int32Array.from(members, ({ hashes }) => hashes[0]);
    this.secondHashes = Int32Array.from(members, ({ hashes }) => hashes[1]);
  }

  /** The member at a point between 0 and below 1, where each takes as much of the way as its weight says. */
  at(unit: number): Member {
    this.#weightsUpTo ??= weightsUpTo(this.weights);
    const upTo = this.#weightsUpTo;
    const point = unit * (upTo.at(-1) as number);
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < (upTo[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return this.members[low] as Member;
  }
}

function weightsUpTo(weights: Float64Array): Float64Array {
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum;
  });
}
