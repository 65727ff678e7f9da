import { credentials, Metadata } from "@grpc/grpc-js";
import * as api from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";
import { answerOf } from "./answer-of.ts";
import { RecordedStream } from "./recorded-stream.ts";

/** The rollouts of a control plane through a client of its own; what a request leaves out has its default. */
export class RolloutClient {
  readonly #address: string;
  readonly #client: api.RolloutServiceClient;
  readonly #streams: RecordedStream<api.WatchRolloutResponse>[] = [];

  constructor(address: string) {
    this.#address = address;
    this.#client = new api.RolloutServiceClient(address, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  }

  plan = (request: api.DeepPartial<api.PlanRolloutRequest> = {}) =>
    answerOf<api.PlanRolloutResponse>((answered) =>
      this.#client.planRollout(api.PlanRolloutRequest.fromPartial(request), answered),
    );
  start = (request: api.DeepPartial<api.StartRolloutRequest> = {}) =>
    answerOf<api.StartRolloutResponse>((answered) =>
      this.#client.startRollout(api.StartRolloutRequest.fromPartial(request), answered),
    );
  get = (name = "") => answerOf<api.GetRolloutResponse>((answered) => this.#client.getRollout({ name }, answered));
  list = (request: api.DeepPartial<api.ListRolloutsRequest> = {}) =>
    answerOf<api.ListRolloutsResponse>((answered) =>
      this.#client.listRollouts(api.ListRolloutsRequest.fromPartial(request), answered),
    );
  pause = (request: api.DeepPartial<api.PauseRolloutRequest> = {}) =>
    answerOf<api.PauseRolloutResponse>((answered) =>
      this.#client.pauseRollout(api.PauseRolloutRequest.fromPartial(request), answered),
    );
  resume = (request: api.DeepPartial<api.ResumeRolloutRequest> = {}) =>
    answerOf<api.ResumeRolloutResponse>((answered) =>
      this.#client.resumeRollout(api.ResumeRolloutRequest.fromPartial(request), answered),
    );
  promote = (request: api.DeepPartial<api.PromoteRolloutRequest> = {}) =>
    answerOf<api.PromoteRolloutResponse>((answered) =>
      this.#client.promoteRollout(api.PromoteRolloutRequest.fromPartial(request), answered),
    );
  abort = (request: api.DeepPartial<api.AbortRolloutRequest> = {}) =>
    answerOf<api.AbortRolloutResponse>((answered) =>
      this.#client.abortRollout(api.AbortRolloutRequest.fromPartial(request), answered),
    );
  rollBack = (request: api.DeepPartial<api.RollBackRolloutRequest> = {}) =>
    answerOf<api.RollBackRolloutResponse>((answered) =>
      this.#client.rollBackRollout(api.RollBackRolloutRequest.fromPartial(request), answered),
    );

  /** Without a token where it is left out. */
  emergency(request: api.DeepPartial<api.ReleaseEmergencyRequest>, token?: string) {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set("switchyard-emergency-token", token);
    return answerOf<api.ReleaseEmergencyResponse>((answered) =>
      this.#client.releaseEmergency(api.ReleaseEmergencyRequest.fromPartial(request), metadata, answered),
    );
  }

  watch(request: api.DeepPartial<api.WatchRolloutRequest> = {}): RecordedStream<api.WatchRolloutResponse> {
    const client = new api.RolloutServiceClient(this.#address, credentials.createInsecure());
    const call = client.watchRollout(api.WatchRolloutRequest.fromPartial(request));
    const stream = new RecordedStream(call, client);
    this.#streams.push(stream);
    return stream;
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }
}
