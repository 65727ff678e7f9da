/** What the feed waits for, in milliseconds. */
export interface FeedTimes {
  /** The last record is asked for this often, a quarter more or less: what is lost on the feed's subject is found so. */
  readonly pollMs: number;
  /** Without a beacon of a replica, or an answer of the stream, for so long, the feed is silent. */
  readonly silentAfterMs: number;
  /** The log must have ended too early for so long to be behind: one server of a cluster, or a mirror, may lag. */
  readonly behindAfterMs: number;
  /** Of one read. */
  readonly requestTimeoutMs: number;
}

export const feedTimesDefault: FeedTimes = {
  pollMs: 1000,
  silentAfterMs: 5000,
  behindAfterMs: 3000,
  requestTimeoutMs: 2000,
};
