import type { Client, ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { waitFor } from "../support/wait-for.ts";

/** A stream of answers that remembers what came and how it ended. */
export class RecordedStream<Message> {
  readonly messages: Message[] = [];
  /** Undefined while it is open. */
  end: { readonly error: ServiceError | undefined } | undefined;
  readonly #call: ClientReadableStream<Message>;

  /** The client is closed with the stream. */
  constructor(call: ClientReadableStream<Message>, client: Client) {
    this.#call = call;
    call.on("data", (message: Message) => this.messages.push(message));
    call.on("error", (error) => {
      this.end ??= { error: error as ServiceError };
    });
    call.on("end", () => {
      this.end ??= { error: undefined };
    });
    call.on("close", () => client.close());
  }

  /** Stops taking messages, as a reader that hangs does. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  /** Waits until `look` finds what it looks for in what has come. An end that comes first is an error. */
  async until<Found>(what: string, look: (messages: readonly Message[]) => Found | undefined | false): Promise<Found> {
    return waitFor(what, () => {
      const found = look(this.messages);
      if (found !== undefined && found !== false) return found;
      if (this.end !== undefined) throw new Error(`${what}: the stream ended`, { cause: this.end.error });
      return undefined;
    });
  }

  async ended(): Promise<ServiceError | undefined> {
    return (await waitFor("the stream's end", () => this.end)).error;
  }

  cancel(): void {
    this.#call.cancel();
  }
}
