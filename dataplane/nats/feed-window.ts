import type { Position, SealedCommit } from "../../model/commit.ts";
import { openNextCommit } from "../../model/wire/commit.ts";
import { decodeRecord } from "../../model/wire/log-record.ts";

/** Messages that are kept while those before them are fetched; what comes beyond is fetched too. */
const messagesMax = 256;
const bytesMax = 8 * 1024 * 1024;

/** A larger one is fetched from the stream, where it need not be proven here. */
const messageBytesMax = 64 * 1024;

/**
 * What was heard on the feed's subject and is not delivered yet. It is a hint: anybody who may publish there, by mistake
 * too, could have said it. A commit is taken from here only where it continues the chain; all else is read from the stream.
 */
export class FeedWindow {
  readonly #messages = new Map<number, Uint8Array>();
  #bytes = 0;

  /** Keeps a message of a revision that comes after `position`. Answers whether there is room for it, and need of it. */
  add(revision: number, data: Uint8Array, position: Position): boolean {
    const ahead = revision - position.revision;
    if (ahead < 1 || ahead > messagesMax || data.length > messageBytesMax) return false;
    if (this.#messages.has(revision) || this.#bytes + data.length > bytesMax) return false;
    this.#messages.set(revision, data);
    this.#bytes += data.length;
    return true;
  }

  /**
   * The commit that continues `position`, if it was heard; `unusable` where what was heard is none. Forgets it, and what
   * is before it.
   */
  takeNext(position: Position): SealedCommit | "unusable" | undefined {
    this.#forgetUpTo(position.revision);
    const data = this.#messages.get(position.revision + 1);
    if (data === undefined) return undefined;
    this.#forgetUpTo(position.revision + 1);
    const record = decodeRecord(data);
    if (record.record !== "commit") return "unusable";
    return "fault" in openNextCommit(position, record.commit) ? "unusable" : record.commit;
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
  }

  #forgetUpTo(revision: number): void {
    for (const [each, data] of this.#messages) {
      if (each > revision) continue;
      this.#messages.delete(each);
      this.#bytes -= data.length;
    }
  }
}
