import { setTimeout as pause } from "node:timers/promises";
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  type GetRolloutResponse,
  type Rollout,
  RolloutServiceClient,
} from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { RealReplica } from "../fleet/real-fleet.ts";

const askEveryMs = 100;

/** Who takes longer is asked again. */
const answeredWithinMs = 10_000;

/** Asks replicas for the newest rollout, over one channel each. To be closed. */
export class RolloutCalls {
  readonly #clients: ReadonlyMap<RealReplica, RolloutServiceClient>;

  constructor(replicas: readonly RealReplica[]) {
    const options = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 200 };
    const client = (address: string): RolloutServiceClient =>
      new RolloutServiceClient(address, credentials.createInsecure(), options);
    this.#clients = new Map(replicas.map((replica) => [replica, client(replica.address)]));
  }

  /** As one replica sees it; undefined where it does not answer, or there was none. */
  get(replica: RealReplica): Promise<Rollout | undefined> {
    return new Promise((resolve) => {
      const answered = (error: ServiceError | null, answer: GetRolloutResponse): void =>
        resolve(error === null ? answer.rollout : undefined);
      const deadline = Date.now() + answeredWithinMs;
      this.#clients.get(replica)?.getRollout({ name: "" }, new Metadata(), { deadline }, answered);
    });
  }

  /** As each replica sees it that answers. Who asks again and again is held back: the replicas have other things to do. */
  async all(): Promise<readonly { readonly replica: RealReplica; readonly rollout: Rollout }[]> {
    await pause(askEveryMs);
    const answers = await Promise.all(
      Array.from(this.#clients.keys(), async (replica) => ({ replica, rollout: await this.get(replica) })),
    );
    return answers.flatMap(({ replica, rollout }) => (rollout === undefined ? [] : [{ replica, rollout }]));
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
