import { Metadata, credentials } from "@grpc/grpc-js";
import type { CallOptions, ChannelOptions, ClientReadableStream, ClientUnaryCall, ServiceError } from "@grpc/grpc-js";
import { ConfigServiceClient } from "../../proto/gen/switchyard/config/v1/config_service.ts";
import { FleetServiceClient } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";

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

/** The admin API over one connection, with promises, and a deadline on every call but those that follow the log. */
export class AdminClient {
  readonly config: ConfigServiceClient;
  readonly fleet: FleetServiceClient;
  readonly #timeoutMs: number;

  /** The server is `host:port`; the connection is made at the first call. */
  constructor(server: string, timeoutMs: number) {
    const plain = credentials.createInsecure();
    this.config = new ConfigServiceClient(`dns:///${server}`, plain, channelOptions);
    this.fleet = new FleetServiceClient(`dns:///${server}`, plain, { channelOverride: this.config.getChannel() });
    this.#timeoutMs = timeoutMs;
  }

  /** One request, one answer: `client.unary<GetFarmResponse>((...tail) => client.config.getFarm(request, ...tail))`. */
  unary<Response>(start: (...tail: CallTail<Response>) => ClientUnaryCall): Promise<Response> {
    return new Promise((resolve, reject) => {
      start(new Metadata(), { deadline: Date.now() + this.#timeoutMs }, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  /** One request, many answers, within the deadline in all. */
  stream<Response>(start: (options: Partial<CallOptions>) => ClientReadableStream<Response>): AsyncIterable<Response> {
    return start({ deadline: Date.now() + this.#timeoutMs }) as AsyncIterable<Response>;
  }

  /** One request, answers without end; ends quietly when the signal aborts. */
  async *follow<Response>(
    start: () => ClientReadableStream<Response>,
    signal: AbortSignal,
  ): AsyncGenerator<Response, void> {
    if (signal.aborted) return;
    const call = start();
    const cancel = (): void => call.cancel();
    signal.addEventListener("abort", cancel);
    try {
      for await (const answer of call as AsyncIterable<Response>) yield answer;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  close(): void {
    this.config.close();
  }
}
