import type { HelloOutcome } from "../../dataplane/hello/hello-outcome.ts";
import { HelloReader } from "../../dataplane/hello/hello-reader.ts";
import type { FuzzedReader } from "./hello-fuzz.ts";

/** The canary: it loses a first chunk that ends inside the record's header, as readers do. The fuzzer must find it. */
export class ForgetfulReader implements FuzzedReader {
  readonly #inner: HelloReader;
  #begun = false;

  constructor(helloBytesMax: number) {
    this.#inner = new HelloReader(helloBytesMax);
  }

  get bytesHeld(): number {
    return this.#inner.bytesHeld;
  }

  push(chunk: Uint8Array): HelloOutcome {
    const forgotten = !this.#begun && chunk.length > 0 && chunk.length < 5;
    this.#begun ||= chunk.length > 0;
    return this.#inner.push(forgotten ? new Uint8Array(0) : chunk);
  }
}
