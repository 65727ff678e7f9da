import { Metadata, credentials } from "@grpc/grpc-js";
import type { CallOptions, ChannelOptions, ClientReadableStream, ClientUnaryCall, ServiceError } from "@grpc/grpc-js";
import { ConfigServiceClient } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { FleetServiceClient } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { RolloutServiceClient } from "../../proto/gen/switchyard/rollout/v1/rollout_service.ts";

/** An Apply of a large configuration is one message; grpc-js's own limit for answers is 4 MiB. */
const messageBytesMax = 256 * 1024 * 1024;

const channelOptions: ChannelOptions = {
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
  // The admin API stands on a loopback or internal address: the environment's web proxy has no business with it.
  "grpc.enable_http_proxy": 0,
  // A retry is the user's to decide, under the same request id.
  "grpc.enable_retries": 0,
};

/** What a generated method takes after its request. */
export type CallTail<Response> = [
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
];

/** A call that can be given up. */
interface Cancellable {
  cancel(): void;
}

/**
 * The admin API over one connection, with promises, and a deadline on every call but those that follow the log. When
 * the signal aborts, every call under way is cancelled.
 */
export class AdminClient {
  readonly config: ConfigServiceClient;
  readonly fleet: FleetServiceClient;
  readonly rollout: RolloutServiceClient;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  /** The server is `host:port`; the connection is made at the first call. */
  constructor(server: string, timeoutMs: number, signal?: AbortSignal) {
    const plain = credentials.createInsecure();
    this.config = new ConfigServiceClient(`dns:///${server}`, plain, channelOptions);
    this.fleet = new FleetServiceClient(`dns:///${server}`, plain, { channelOverride: this.config.getChannel() });
    this.rollout = new RolloutServiceClient(`dns:///${server}`, plain, { channelOverride: this.config.getChannel() });
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /** One request, one answer: `client.unary<GetFarmResponse>((...tail) => client.config.getFarm(request, ...tail))`. */
  unary<Response>(start: (...tail: CallTail<Response>) => ClientUnaryCall): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = start(new Metadata(), { deadline: Date.now() + this.#timeoutMs }, (error, response) => {
        release();
        if (error === null) resolve(response);
        else reject(error);
      });
      const release = this.#cancelOnAbort(call);
    });
  }

  /** One request, many answers, within the deadline in all. */
  stream<Response>(start: (options: Partial<CallOptions>) => ClientReadableStream<Response>): AsyncIterable<Response> {
    return this.#read(start({ deadline: Date.now() + this.#timeoutMs }));
  }

  /** One request, answers without end. */
  follow<Response>(start: () => ClientReadableStream<Response>): AsyncIterable<Response> {
    return this.#read(start());
  }

  close(): void {
    this.config.close();
  }

  async *#read<Response>(call: ClientReadableStream<Response>): AsyncGenerator<Response, void> {
    const release = this.#cancelOnAbort(call);
    try {
      for await (const answer of call as AsyncIterable<Response>) yield answer;
    } finally {
      release();
      call.cancel();
    }
  }

  #cancelOnAbort(call: Cancellable): () => void {
    const cancel = (): void => call.cancel();
    if (this.#signal?.aborted === true) cancel();
    this.#signal?.addEventListener("abort", cancel);
    return () => this.#signal?.removeEventListener("abort", cancel);
  }
}
