import { type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  FleetServiceClient,
  NodeHello,
  NodeReport,
  TrafficDelta,
  type DeepPartial,
  type Directive,
  type DirectiveResult,
  type SessionRequest,
  type SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { waitFor } from "../support/wait-for.ts";

/** A node's session, message by message, as the test says. */
export class NodeSession {
  readonly answers: SessionResponse[] = [];
  /** Undefined while it is open. */
  end: { readonly error: ServiceError | undefined } | undefined;
  readonly #call: ClientDuplexStream<SessionRequest, SessionResponse>;

  constructor(address: string) {
    const client = new FleetServiceClient(address, credentials.createInsecure(), { "grpc.enable_retries": 0 });
    this.#call = client.session();
    this.#call.on("data", (answer: SessionResponse) => this.answers.push(answer));
    this.#call.on("error", (error) => {
      this.end ??= { error: error as ServiceError };
    });
    this.#call.on("end", () => {
      this.end ??= { error: undefined };
    });
    this.#call.on("close", () => client.close());
  }

  hello(nodeId: string, more: DeepPartial<NodeHello> = {}): this {
    this.#call.write({ message: { $case: "hello", value: NodeHello.fromPartial({ nodeId, ...more }) } });
    return this;
  }

  report(report: DeepPartial<NodeReport>): this {
    this.#call.write({ message: { $case: "report", value: NodeReport.fromPartial(report) } });
    return this;
  }

  traffic(delta: DeepPartial<TrafficDelta>): this {
    this.#call.write({ message: { $case: "traffic", value: TrafficDelta.fromPartial(delta) } });
    return this;
  }

  answer(result: DirectiveResult): this {
    this.#call.write({ message: { $case: "directiveResult", value: result } });
    return this;
  }

  /** Waits until so many directives have come, and gives the last of them. */
  async directive(count = 1): Promise<Directive> {
    return waitFor(`directive ${count}`, () => {
      const sent = this.answers.flatMap(({ message }) => (message?.$case === "directive" ? [message.value] : []));
      return sent[count - 1];
    });
  }

  /** A message of a kind that this version does not know. */
  unknown(): this {
    this.#call.write({ message: undefined });
    return this;
  }

  async welcomed(): Promise<this> {
    await waitFor("the welcome", () => {
      if (this.end !== undefined) throw new Error("the session ended", { cause: this.end.error });
      return this.answers[0]?.message?.$case === "welcome";
    });
    return this;
  }

  /** Says that nothing more will come, as a node that stops does. */
  finish(): void {
    this.#call.end();
  }

  async ended(): Promise<ServiceError | undefined> {
    return (await waitFor("the session's end", () => this.end)).error;
  }

  cancel(): void {
    this.#call.cancel();
  }
}
