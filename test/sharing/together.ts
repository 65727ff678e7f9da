import type { LearntExchange } from "../../dataplane/sharing/learnt-exchange.ts";
import { waitFor } from "../support/wait-for.ts";
import { anId, type RecordingHost } from "./recording-host.ts";

interface SharingNode {
  readonly exchange: LearntExchange;
  readonly host: RecordingHost;
}

let words = 0;

/** Resolves when what the first publishes reaches the others. */
export async function together(first: SharingNode, ...others: readonly SharingNode[]): Promise<void> {
  for (const other of others) {
    words += 1;
    const word = `hello-${words}`;
    await waitFor("a word to arrive", () => {
      first.exchange.publish(anId("s0", word));
      return other.host.hasHeard(`s0 ${word}`);
    });
  }
}
