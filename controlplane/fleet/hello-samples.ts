import { isListenerName } from "../../model/resource-name.ts";
import { parseServerName } from "../../model/server-name.ts";
import type { HelloSample } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { SampledHello } from "../rollout/plan/sampled-hello.ts";

/** In a node's sample, in what replicas tell each other, and in what is given out. */
export const nodeHellosMax = 200;
export const toldHellosMax = 500;
export const recentHellosMax = 2000;

/** Different hellos that are kept of all nodes of this replica; more are left out. */
const distinctMax = 50_000;

const protocolsMax = 16;
const protocolLengthMax = 255;

interface Kept {
  readonly hello: SampledHello;
  count: number;
  /** Samples that it is in. */
  samples: number;
}

type Sample = readonly { readonly key: string; readonly count: number }[];

/**
 * Which hellos the fleet saw lately: the last sample of each node whose session is here, added up, and what the other replicas
 * tell of theirs. What many nodes see is kept once.
 */
export class HelloSamples {
  readonly #kept = new Map<string, Kept>();
  readonly #ofNodes = new Map<string, Sample>();
  readonly #ofReplicas = new Map<string, readonly SampledHello[]>();

  /** In the place of the node's last sample. */
  take(nodeId: string, hellos: readonly SampledHello[]): void {
    this.forget(nodeId);
    const sample: { key: string; count: number }[] = [];
    for (const hello of hellos) {
      const key = keyOf(hello);
      const kept = this.#kept.get(key) ?? { hello, count: 0, samples: 0 };
      if (kept.samples === 0 && this.#kept.size >= distinctMax) continue;
      kept.count += hello.count;
      kept.samples += 1;
      this.#kept.set(key, kept);
      sample.push({ key, count: hello.count });
    }
    this.#ofNodes.set(nodeId, sample);
  }

  /** The node's session is over. */
  forget(nodeId: string): void {
    for (const { key, count } of this.#ofNodes.get(nodeId) ?? []) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      kept.count -= count;
      kept.samples -= 1;
      if (kept.samples === 0) this.#kept.delete(key);
    }
    this.#ofNodes.delete(nodeId);
  }

  /** In the place of what that replica told before. */
  hear(replica: string, hellos: readonly SampledHello[]): void {
    this.#ofReplicas.set(replica, hellos);
  }

  lose(replica: string): void {
    this.#ofReplicas.delete(replica);
  }

  /** Of the nodes whose sessions are here, the most frequent first: for the other replicas. */
  own(): readonly SampledHello[] {
    const own = [...this.#kept.values()].map(({ hello, count }) => ({ ...hello, count }));
    return mostFrequent(own, toldHellosMax);
  }

  /** Of all nodes, the most frequent first. */
  recent(): readonly SampledHello[] {
    const all = new Map<string, SampledHello>();
    for (const [key, { hello, count }] of this.#kept) all.set(key, { ...hello, count });
    for (const hellos of this.#ofReplicas.values())
      for (const hello of hellos) {
        const key = keyOf(hello);
        all.set(key, { ...hello, count: hello.count + (all.get(key)?.count ?? 0) });
      }
    return mostFrequent([...all.values()], recentHellosMax);
  }
}

/** The hellos of a sample, or why it is refused. */
export function hellosFromWire({ hellos }: HelloSample, hellosMax: number): readonly SampledHello[] | string {
  if (hellos.length > hellosMax) return `hellos: at most ${hellosMax}`;
  const parsed: SampledHello[] = [];
  for (const { listener, serverName: text, alpnProtocols, count } of hellos) {
    if (!isListenerName(listener)) return "hellos: a listener is `listeners/{listener}`";
    const name = text === "" ? { name: null } : parseServerName(text);
    if ("fault" in name) return `hellos: a server name: ${name.fault}`;
    if (alpnProtocols.length > protocolsMax || alpnProtocols.some(({ length }) => length > protocolLengthMax))
      return `hellos: at most ${protocolsMax} protocols of ${protocolLengthMax} characters`;
    if (count > BigInt(Number.MAX_SAFE_INTEGER) / 2n ** 20n) return "hellos: no node sees so many";
    parsed.push({ listener, serverName: name.name, alpnProtocols, count: Number(count) });
  }
  return parsed;
}

export function hellosToWire(hellos: readonly SampledHello[]): HelloSample {
  return {
    hellos: hellos.map(({ listener, serverName, alpnProtocols, count }) => ({
      listener,
      serverName: serverName ?? "",
      alpnProtocols: [...alpnProtocols],
      count: BigInt(count),
    })),
  };
}

function mostFrequent(hellos: SampledHello[], max: number): readonly SampledHello[] {
  return hellos.sort((left, right) => right.count - left.count).slice(0, max);
}

function keyOf({ listener, serverName, alpnProtocols }: SampledHello): string {
  return JSON.stringify([listener, serverName, alpnProtocols]);
}
