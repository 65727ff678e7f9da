import type { handleUnaryCall } from "@grpc/grpc-js";
import type { Commit } from "../../model/commit.ts";
import type { Configuration } from "../../model/configuration.ts";
import { releasesAfter } from "../../model/releases.ts";
import type { Write } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import * as api from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import type { RolloutStepWish } from "../decide/command.ts";
import { lookAtLog } from "../fleet/look-at-log.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Committed, Committer } from "../state/committer.ts";
import type { LiveConfiguration } from "../state/live-configuration.ts";
import { SerialQueue } from "../state/serial-queue.ts";
import { accepted, commandOrigin } from "./commit-answer.ts";
import { type EmergencyToken, emergencyTokenKey } from "./emergency-token.ts";
import { type InternalFault, streaming, unary } from "./handler.ts";
import { pageSize } from "./listing.ts";
import { liveBytes } from "./live-bytes.ts";
import { Refused } from "./refused.ts";
import { planMessage, targetRevisionOf } from "./rollout-plan.ts";
import { rolloutNameOf, rolloutPolicyNameOf, RolloutScene, type SceneParts } from "./rollout-scene.ts";
import { RolloutWatchers } from "./rollout-watch.ts";

/** Folds of old revisions, each as much work as a start of the process: one at a time, and so many may wait. */
const foldsWaitingMax = 8;

/** What the rollouts' methods work on. */
export interface RolloutParts extends SceneParts {
  readonly log: EventLog;
  readonly live: LiveConfiguration;
  readonly committer: Committer;
  readonly emergencyToken: EmergencyToken;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly fault: InternalFault;
}

/** What a changing call is answered with. */
interface Stepped {
  readonly rollout: api.Rollout;
  readonly revision: bigint;
}

/** The methods of rollouts: every step is a commit, and every answer the rollout as it stands. */
export function rolloutService(parts: RolloutParts): api.RolloutServiceServer {
  const { live, fault, stopping } = parts;
  const scene = new RolloutScene(parts);
  const methods = new RolloutMethods(parts, scene);
  const watchers = new RolloutWatchers();
  return {
    planRollout: unary(fault, (request) => methods.plan(request)),
    getRollout: unary(fault, async ({ name }) => {
      await lookAtLog(live);
      return { rollout: scene.show(scene.find(name)) };
    }),
    listRollouts: unary(fault, async (request) => {
      await lookAtLog(live);
      return listRollouts(scene, request);
    }),
    watchRollout: streaming(fault, stopping, (request, send, signal) =>
      watchers.watch({ live, scene }, request, send, signal),
    ),
    startRollout: unary(fault, (request) => methods.start(request)),
    pauseRollout: unary(fault, (request) =>
      methods.gated("pause", request, liveBytes(api.PauseRolloutRequest, request)),
    ),
    resumeRollout: unary(fault, (request) =>
      methods.plain("resume", request, liveBytes(api.ResumeRolloutRequest, request)),
    ),
    promoteRollout: unary(fault, (request) => methods.promote(request)),
    abortRollout: unary(fault, (request) =>
      methods.plain("abort", request, liveBytes(api.AbortRolloutRequest, request)),
    ),
    rollBackRollout: unary(fault, (request) =>
      methods.gated("roll_back", request, liveBytes(api.RollBackRolloutRequest, request)),
    ),
    releaseEmergency: emergency(parts, methods),
  };
}

/** The token first: without it a caller learns nothing, not even what is wrong with the request. */
function emergency(
  { emergencyToken, fault }: RolloutParts,
  methods: RolloutMethods,
): handleUnaryCall<api.ReleaseEmergencyRequest, api.ReleaseEmergencyResponse> {
  return (call, callback) => {
    const release = async (request: api.ReleaseEmergencyRequest): Promise<Stepped> => {
      const [given] = call.metadata.get(emergencyTokenKey);
      const token = given === undefined ? undefined : String(given);
      emergencyToken.admit(token, { author: request.write?.author ?? "", peer: call.getPeer() });
      return methods.emergency(request);
    };
    unary(fault, release)(call, callback);
  };
}

class RolloutMethods {
  readonly #parts: RolloutParts;
  readonly #scene: RolloutScene;
  readonly #folds = new SerialQueue(foldsWaitingMax);

  constructor(parts: RolloutParts, scene: RolloutScene) {
    this.#parts = parts;
    this.#scene = scene;
  }

  plan(request: api.PlanRolloutRequest): Promise<api.PlanRolloutResponse> {
    return this.#folds.run(() => planMessage(this.#parts, request));
  }

  async start(request: api.StartRolloutRequest): Promise<Stepped> {
    const policy = rolloutPolicyNameOf(request.policy);
    const bytes = liveBytes(api.StartRolloutRequest, request);
    const target = await this.#target(request.targetRevision);
    return this.#take(() => ({ step: "start", target, policy }), request.write, bytes);
  }

  async emergency(request: api.ReleaseEmergencyRequest): Promise<Stepped> {
    if ((request.write?.reason ?? "").trim() === "") {
      const description = "an emergency release says why";
      throw Refused.by("INVALID_FIELD", [{ field: "write.reason", reason: "required", description }]);
    }
    const bytes = liveBytes(api.ReleaseEmergencyRequest, request);
    const target = await this.#target(request.targetRevision);
    return this.#take(() => ({ step: "emergency", target }), request.write, bytes);
  }

  async promote(request: api.PromoteRolloutRequest): Promise<Stepped> {
    const { full, write } = request;
    const rollout = rolloutNameOf(request.name);
    const bytes = liveBytes(api.PromoteRolloutRequest, request);
    return this.#take(
      ({ releases }) => ({ step: "promote", rollout, full, judgement: this.#scene.judgementOf(rollout, releases) }),
      write,
      bytes,
    );
  }

  async gated(
    step: "pause" | "roll_back",
    { name, write }: { readonly name: string; readonly write?: Write | undefined },
    bytes: Uint8Array,
  ): Promise<Stepped> {
    const rollout = rolloutNameOf(name);
    return this.#take(
      ({ releases }) => ({ step, rollout, failedGate: null, judgement: this.#scene.judgementOf(rollout, releases) }),
      write,
      bytes,
    );
  }

  async plain(
    step: "resume" | "abort",
    { name, write }: { readonly name: string; readonly write?: Write | undefined },
    bytes: Uint8Array,
  ): Promise<Stepped> {
    const rollout = rolloutNameOf(name);
    return this.#take(() => ({ step, rollout }), write, bytes);
  }

  async #target(wanted: bigint): Promise<{ readonly revision: number; readonly digest: Uint8Array } | null> {
    const { live } = this.#parts;
    if (wanted === 0n) return null;
    await live.catchUp();
    const revision = targetRevisionOf(live, wanted);
    if (revision === null) return null;
    const digest = live.digestAt(revision) ?? (await this.#folds.run(() => live.digestOf(revision)));
    return { revision, digest };
  }

  async #take(
    stepAt: (configuration: Configuration) => RolloutStepWish,
    write: Write | undefined,
    bytes: Uint8Array,
  ): Promise<Stepped> {
    const { committer, log } = this.#parts;
    const origin = commandOrigin(write, bytes);
    const commandAt = (configuration: Configuration) => ({ type: "rollout", step: stepAt(configuration) }) as const;
    const committed = accepted(await committer.commit(commandAt, origin));
    const isOnlyValidated = origin.validateOnly && (await log.findRequest(origin.requestId)) === undefined;
    const rollout = isOnlyValidated ? this.#foreseen(committed, origin) : this.#stands(committed);
    return { rollout, revision: BigInt(committed.revision) };
  }

  #stands({ releases, revision }: Committed): api.Rollout {
    const event = releases.at(-1);
    if (event === undefined) throw new Error(`commit ${revision} has no step of a rollout`);
    return this.#scene.show(this.#scene.find(event.rollout));
  }

  /** As the call would have answered (AIP-163). */
  #foreseen({ releases: events }: Committed, { author, reason }: Pick<Commit, "author" | "reason">): api.Rollout {
    const { position, releases } = this.#parts.live.configuration;
    const commit: Commit = {
      epoch: position.epoch,
      revision: position.revision + 1,
      parentHash: position.hash,
      requestId: "",
      requestDigest: new Uint8Array(0),
      author,
      reason,
      timeMs: this.#parts.now(),
      events,
    };
    const record = releasesAfter(releases, commit).rollouts.at(-1);
    if (record === undefined) throw new Error("a step of no rollout");
    return this.#scene.show(record);
  }
}

/** By place, newest first; the token is the name that the page before ended with. */
function listRollouts(scene: RolloutScene, request: api.ListRolloutsRequest): api.ListRolloutsResponse {
  const size = Math.min(pageSize(request.pageSize, 20), 100);
  const rollouts = scene.releases.rollouts.toReversed();
  const { pageToken } = request;
  const at = pageToken === "" ? 0 : rollouts.findIndex(({ name }) => name === pageToken) + 1;
  if (pageToken !== "" && at === 0)
    throw new Refused("INVALID_PAGE_TOKEN", `${JSON.stringify(pageToken.slice(0, 80))} is no page token of this list`);
  const page = rollouts.slice(at, at + size);
  const last = page.at(-1);
  const nextPageToken = at + size < rollouts.length && last !== undefined ? last.name : "";
  return { rollouts: page.map((record) => scene.outline(record)), nextPageToken };
}
