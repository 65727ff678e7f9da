import type { Learnt } from "../../model/learnt.ts";
import type { ServerResourceName } from "../../model/resource-name.ts";
import type { LearntHost } from "../../dataplane/sharing/learnt-exchange.ts";

/** A node that remembers what it is told, and knows what a test says. */
export class RecordingHost implements LearntHost {
  readonly #heard = new Set<string>();
  readonly knows: Learnt[] = [];
  /** Messages that were taken. */
  taken = 0;
  /** How often it was asked for all that it knows. */
  askedFor = 0;

  get heard(): readonly string[] {
    return [...this.#heard].sort();
  }

  hasHeard(word: string): boolean {
    return this.#heard.has(word);
  }

  get size(): number {
    return this.#heard.size;
  }

  take(learnt: Learnt): void {
    this.taken += 1;
    for (const word of wordsOf(learnt)) this.#heard.add(word);
  }

  *known(): Iterable<Learnt> {
    this.askedFor += 1;
    yield* this.knows;
  }
}

/** `s1 name-of-ticket`, `s1 id`; names that were dropped with a `-` before them. */
export function wordsOf({ ticketNames, sessionIds }: Learnt): string[] {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  return [
    ...ticketNames.map(({ server, name, dropped }) => `${dropped ? "-" : ""}${shortName(server)} ${text(name)}`),
    ...sessionIds.map(({ server, id }) => `${shortName(server)} ${text(id)}`),
  ];
}

/** A session's id that a server of the farm `f` gave. */
export function anId(server: string, id: string, ageMs = 0): Learnt {
  return { ticketNames: [], sessionIds: [{ server: longName(server), id: Buffer.from(id), ageMs }] };
}

/** A ticket's name of a server of the farm `f`. */
export function aName(server: string, name: string, dropped = false): Learnt {
  return { ticketNames: [{ server: longName(server), name: Buffer.from(name), ageMs: 0, dropped }], sessionIds: [] };
}

function longName(server: string): ServerResourceName {
  return `farms/f/servers/${server}`;
}

function shortName(server: ServerResourceName): string {
  return server.slice("farms/f/servers/".length);
}
