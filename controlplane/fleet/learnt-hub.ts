import type { Learnt } from "../../proto/gen/switchyard/fleet/v1/learnt.ts";
import type { SessionResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

/** Nodes that are asked what they know when one has just started. */
const answerersMax = 2;

/** Nodes that one may owe an answer to. */
const askersMax = 64;

/** A node's session, for the hub. */
export interface LearntMember {
  readonly nodeId: string;
  readonly region: string;
  /** Whether there is room for one more message: a node that does not read misses what is said. */
  hasRoom(): boolean;
  /** The same object goes to many, so that it is encoded once. */
  send(response: SessionResponse): void;
}

/**
 * Passes on what nodes learnt to the other nodes of their region with a session here. It keeps nothing: what a node can't be
 * told now it learns by itself, or asks for at its next start.
 */
export class LearntHub {
  /** By region, those with the longest session first: they know the most. */
  readonly #regions = new Map<string, Map<LearntMember, Set<string>>>();
  #turn = 0;
  #dropped = 0;

  /** Messages that were dropped, as a node did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  join(member: LearntMember): void {
    const members = this.#regions.get(member.region);
    if (members === undefined) this.#regions.set(member.region, new Map([[member, new Set()]]));
    else members.set(member, new Set());
  }

  leave(member: LearntMember): void {
    const members = this.#regions.get(member.region);
    if (members?.delete(member) === true && members.size === 0) this.#regions.delete(member.region);
  }

  /** To all others, or to the one that had asked this node. */
  share(from: LearntMember, learnt: Learnt): void {
    const members = this.#regions.get(from.region);
    if (members === undefined) return;
    const response: SessionResponse = { message: { $case: "learnt", value: learnt } };
    const isAnswer = learnt.to !== "";
    if (isAnswer && members.get(from)?.has(learnt.to) !== true) return;
    for (const member of members.keys())
      if (member !== from && (!isAnswer || member.nodeId === learnt.to)) this.#send(member, response);
  }

  /** Asks two others: the one that has been here the longest, and of the rest another one each time. */
  ask(asker: LearntMember): void {
    const owing = this.#regions.get(asker.region);
    if (owing === undefined) return;
    const others = [...owing].filter(([member]) => member.nodeId !== asker.nodeId);
    this.#turn += 1;
    const second = others.length < answerersMax ? undefined : others[1 + (this.#turn % (others.length - 1))];
    const response: SessionResponse = { message: { $case: "learntQuestion", value: { asker: asker.nodeId } } };
    for (const [member, askers] of [others[0], second].filter((each) => each !== undefined)) {
      const oldest: string | undefined = askers.size < askersMax ? undefined : askers.values().next().value;
      if (oldest !== undefined) askers.delete(oldest);
      askers.add(asker.nodeId);
      this.#send(member, response);
    }
  }

  #send(member: LearntMember, response: SessionResponse): void {
    if (member.hasRoom()) member.send(response);
    else this.#dropped += 1;
  }
}
