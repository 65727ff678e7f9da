/**
 * A child process of the bench: many nodes without an engine. Each has its own NATS connection, its own fold and its own
 * rule tables, as a node's process has.
 */
import { setMaxListeners } from "node:events";
import { Routing } from "../../dataplane/choose/routing.ts";
import { Backoff } from "../../dataplane/feed/backoff.ts";
import { Follower } from "../../dataplane/feed/follower.ts";
import { inSlices } from "../../dataplane/feed/in-slices.ts";
import { JetStreamCommitFeed } from "../../dataplane/nats/jetstream-commit-feed.ts";
import { sharedNowMs } from "./one-clock.ts";
import { SwapLedger } from "./swap-ledger.ts";
import { onLine, tell, workerSetting } from "./worker-lines.ts";

export interface FollowerWorkerSetting {
  readonly url: string;
  readonly followers: number;
  /** Number of the first one. */
  readonly first: number;
}

/** As `switchyard node` has them. */
const reconnectMinMs = 200;
const reconnectMaxMs = 5000;

const { url, followers, first } = workerSetting() as FollowerWorkerSetting;
const stop = new AbortController();
setMaxListeners(0, stop.signal);
const crew: Follower[] = [];
let lost = 0;
let lastLost = "";

const ledger = new SwapLedger(followers, (revision, times) => {
  tell({ revision, times: times.map((time) => Number(time.toFixed(3))) });
});

function follow(index: number): void {
  const routing = new Routing(index);
  const follower = new Follower(
    { id: `bench-${index}`, region: "", labels: {} },
    async (changes, { revision }) => {
      await inSlices(routing.applying(changes));
      ledger.swapped(index - first, revision, sharedNowMs());
    },
    () => undefined,
  );
  const feed = new JetStreamCommitFeed({
    servers: url,
    nodeId: `bench-${index}`,
    backoff: new Backoff(reconnectMinMs, reconnectMaxMs, Math.random),
    onLost: (why) => {
      lost += 1;
      lastLost = why;
    },
  });
  crew.push(follower);
  void feed.follow(follower, stop.signal);
}

for (let index = first; index < first + followers; index += 1) follow(index);
onLine(() => {
  const digests = new Set(crew.map(({ status }) => Buffer.from(status.digest).toString("hex")));
  const revisions = new Set(crew.map(({ status }) => status.position.revision));
  const following = crew.filter(({ status }) => status.loaded && status.feed === "following" && !status.stalled);
  tell({ following: following.length, digests: [...digests], revisions: [...revisions], lost, lastLost });
});
