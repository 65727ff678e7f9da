import { createInbox, type NatsConnection } from "nats";
import type { Position } from "../../model/commit.ts";
import type { LogNames } from "../../model/log-names.ts";
import { type Beacon, decodeBeacon, encodeBeacon } from "../../model/wire/log-record.ts";

/** Answers other replicas that ask where this one's copy ends. Returns the way to stop. */
export function answerHeads(connection: NatsConnection, names: LogNames, own: () => Beacon | undefined): () => void {
  const subscription = connection.subscribe(names.headsSubject, {
    callback: (error, message) => {
      const beacon = own();
      if (error === null && beacon !== undefined) message.respond(encodeBeacon(beacon));
    },
  });
  return () => subscription.unsubscribe();
}

/** Asks every replica where its copy ends, this one too where it answers; gathers what comes within the time. */
export async function gatherHeads(
  connection: NatsConnection,
  names: LogNames,
  gatherMs: number,
): Promise<readonly Beacon[]> {
  const heads = new Map<string, Beacon>();
  const inbox = createInbox();
  let nobody: () => void = () => undefined;
  const subscription = connection.subscribe(inbox, {
    callback: (error, { data, headers }) => {
      if (headers?.code === 503) nobody();
      const beacon = error === null ? decodeBeacon(data) : undefined;
      if (beacon !== undefined) heads.set(beacon.replica, beacon);
    },
  });
  connection.publish(names.headsSubject, "", { reply: inbox });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, gatherMs);
    nobody = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  subscription.unsubscribe();
  return [...heads.values()];
}

/** Whether one chain is to be preferred to another: the later epoch, then the longer. */
export function isAhead(one: Position, other: Position): boolean {
  return one.epoch !== other.epoch ? one.epoch > other.epoch : one.revision > other.revision;
}

/** Whose chain the log goes on with; among equals, the replica whose id comes first. */
export function winner(heads: readonly Beacon[]): Beacon | undefined {
  return heads.reduce<Beacon | undefined>((best, each) => {
    if (best === undefined || isAhead(each.head, best.head)) return each;
    if (isAhead(best.head, each.head)) return best;
    return each.replica < best.replica ? each : best;
  }, undefined);
}
