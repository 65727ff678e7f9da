/** What some hellos announced. */
export interface SampledHello {
  readonly listener: string;
  /** Empty for none. */
  readonly serverName: string;
  readonly alpnProtocols: readonly string[];
  readonly count: number;
}

/** Names, listeners and protocols together that are told apart between two samples. */
const distinctMax = 1000;

/** After so many of the hellos that are looked at, half as many of the next are. */
const lookedAtMax = 1000;

/** A hello that offers more is left out: it is no ordinary client's. */
const protocolsMax = 16;

const sampledMax = 200;

interface Counted {
  readonly hello: Omit<SampledHello, "count">;
  count: number;
}

/** A hello as far as it is looked at, when it is. */
interface Announcing {
  alpnProtocols(): string[];
}

/**
 * Which hellos came lately, by what they announce and never by where they come from. Of few all are counted; of many one in
 * some, which counts for the others: then all that a connection costs is one subtraction.
 */
export class HelloSample {
  readonly #counts = new Map<string, Counted>();
  /** One in this many is looked at. */
  #oneIn = 1;
  #untilNext = 1;
  #lookedAt = 0;
  #chance = 1;

  /** `serverName` is null for a hello without a name. */
  saw(listener: string, serverName: string | null, hello: Announcing): void {
    this.#untilNext -= 1;
    if (this.#untilNext > 0) return;
    const standsFor = this.#oneIn;
    this.#lookedAt += 1;
    if (this.#lookedAt % lookedAtMax === 0) this.#oneIn *= 2;
    this.#untilNext = this.#nextIn();
    this.#count(listener, serverName ?? "", hello.alpnProtocols(), standsFor);
  }

  /** The most frequent since the last time, which are then forgotten; undefined where there are none. */
  take(): readonly SampledHello[] | undefined {
    const counted = [...this.#counts.values()].sort((left, right) => right.count - left.count);
    this.#counts.clear();
    this.#oneIn = 1;
    this.#untilNext = 1;
    this.#lookedAt = 0;
    if (counted.length === 0) return undefined;
    return counted.slice(0, sampledMax).map(({ hello, count }) => ({ ...hello, count }));
  }

  /** One in so many, at places that follow no rhythm that clients may have: a linear congruential generator is enough. */
  #nextIn(): number {
    this.#chance = (Math.imul(this.#chance, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return 1 + ((this.#chance >>> 8) % (2 * this.#oneIn - 1));
  }

  #count(listener: string, serverName: string, alpnProtocols: readonly string[], count: number): void {
    if (alpnProtocols.length > protocolsMax) return;
    const key = JSON.stringify([listener, serverName, alpnProtocols]);
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += count;
    else if (this.#counts.size < distinctMax)
      this.#counts.set(key, { hello: { listener, serverName, alpnProtocols }, count });
  }
}
