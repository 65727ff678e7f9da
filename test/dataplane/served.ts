import type { LastKnownGood } from "../../dataplane/cache/last-known-good.ts";
import type { SealedCommit } from "../../model/commit.ts";
import { Configuration } from "../../model/configuration.ts";
import type { ConfigEvent } from "../../model/event.ts";
import { sealCommit } from "../../model/wire/commit.ts";
import { written } from "../support/arbitrary-resource.ts";
import { waitFor } from "../support/wait-for.ts";

export function created(id: string): ConfigEvent {
  return { type: "created", resource: written({ farm: { name: `farms/${id}` } }) };
}

/** What a node serves, and the commits that made it so. */
export class Served {
  configuration = new Configuration();
  readonly #author: string;

  constructor(author = "one") {
    this.#author = author;
  }

  commit(...events: readonly ConfigEvent[]): SealedCommit {
    const { epoch, revision, hash } = this.configuration.position;
    const by = {
      requestId: `r${revision}`,
      requestDigest: new Uint8Array(0),
      author: this.#author,
      reason: "",
      timeMs: 0,
    };
    const commit = { epoch, revision: revision + 1, parentHash: hash, ...by, events };
    const sealed = sealCommit(commit);
    this.configuration.apply(commit, { epoch, revision: revision + 1, hash: sealed.hash });
    return sealed;
  }

  /** So many more commits, each carried out and told to the cache. */
  async goOn(cache: LastKnownGood, count: number, id = "f"): Promise<void> {
    for (let each = 0; each < count; each += 1) {
      cache.changing();
      const sealed = this.commit(created(`${id}${this.configuration.position.revision}`));
      cache.committed([sealed], this.configuration);
    }
    await kept(cache, this.configuration);
  }
}

/** Resolves when the cache tells the configuration as kept. */
export async function kept(cache: LastKnownGood, { position }: Configuration): Promise<void> {
  await waitFor(`revision ${position.revision} on disk`, () => cache.kept.position.revision === position.revision);
  await cache.idle();
}
