import type { LogNames } from "../../model/log-names.ts";
import type { Backoff } from "../feed/backoff.ts";
import type { FeedTimes } from "./feed-times.ts";

/** How a feed follows, through all of its connections. */
export interface FeedSetting {
  readonly names: LogNames;
  readonly times: FeedTimes;
  readonly backoff: Backoff;
  readonly onLost: (why: string) => void;
}
