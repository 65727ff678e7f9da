import { readFileSync } from "node:fs";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import { repositoryPath } from "../compare/repository-path.ts";

const messageBytesMax = 64 * 1024 * 1024;
const callTimeoutMs = 60_000;

/** A resource as the .proto files have it: fields in snake_case. */
export type WireResource = Readonly<Record<string, object>>;

/**
 * The admin API as a client in any other language would have it: made from the published descriptors, not from the code
 * that is measured.
 */
export class AdminApi {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new (serviceClient())(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": messageBytesMax,
      "grpc.max_send_message_length": messageBytesMax,
      "grpc.enable_retries": 0,
      // A control plane of its own for each connection, and a connection of its own for each client.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 200,
    });
  }

  /** One commit; answers its revision once it is acknowledged. @throws ServiceError */
  async apply(resources: readonly WireResource[], requestId: string): Promise<number> {
    const { revision } = await this.#call("Apply", { resources, write: { request_id: requestId, author: "bench" } });
    return revision as number;
  }

  close(): void {
    this.#client.close();
  }

  #call(method: string, request: object): Promise<Record<string, unknown>> {
    const calls = this.#client as unknown as Record<string, UnaryCall | undefined>;
    const call = calls[method];
    if (call === undefined) throw new Error(`the admin API has no ${method}`);
    return new Promise((resolve, reject) => {
      call.call(this.#client, request, { deadline: Date.now() + callTimeoutMs }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }
}

type UnaryCall = (
  this: Client,
  request: object,
  options: object,
  answered: (error: ServiceError | null, answer: Record<string, unknown>) => void,
) => void;

let loaded: ServiceClientConstructor | undefined;

function serviceClient(): ServiceClientConstructor {
  if (loaded !== undefined) return loaded;
  const image = readFileSync(repositoryPath("proto", "gen", "image.binpb"));
  const definition = protoLoader.loadFileDescriptorSetFromBuffer(image, { longs: Number, defaults: true });
  const found = ["switchyard", "config", "v1", "ConfigService"].reduce<unknown>(
    (tree, name) => (tree as Record<string, unknown>)[name],
    loadPackageDefinition(definition),
  );
  loaded = found as ServiceClientConstructor;
  return loaded;
}
