import type { ClientDuplexStream } from "@grpc/grpc-js";
import type {
  DirectiveResult,
  HelloSample,
  NodeHello,
  SessionRequest,
  SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { learntToWire } from "../../model/wire/learnt.ts";
import type { LearntOutbox } from "../sharing/session-learnt-exchange.ts";
import type { SampledHello } from "./hello-sample.ts";
import { nodeReport } from "./node-report.ts";
import type { SessionHost } from "./node-session.ts";
import type { TrafficCounts } from "./pending-traffic.ts";
import { trafficDelta } from "./traffic-delta.ts";

/** Routes, and servers, of one delta, at a few hundred bytes each; what is left comes with the next. */
const entriesPerDelta = 2000;

/** Between two reports: commits may follow each other faster than a control plane that hears a thousand nodes can read. */
const reportGapMs = 100;

type Stream = ClientDuplexStream<SessionRequest, SessionResponse>;
type Message = NonNullable<SessionRequest["message"]>;

/**
 * What a node says in one session. One message is on its way at a time; until it has left the process, reports are left out
 * and counts are added up, so that a control plane which does not read costs a node nothing.
 */
export class SessionWriter {
  readonly #stream: Stream;
  readonly #host: SessionHost;
  readonly #results: { readonly result: DirectiveResult; readonly left: () => void }[] = [];
  readonly #learnt: LearntOutbox | undefined;
  #closeLearnt: (() => void) | undefined;
  #reportDue = false;
  /** Runs while the last report is too new for another. */
  #gap: NodeJS.Timeout | undefined;
  #trafficDue = false;
  #hellosDue = false;
  #writing = false;
  #ended = false;
  /** Of the delta that is on its way. */
  #leaving: TrafficCounts | undefined;

  constructor(stream: Stream, host: SessionHost, learnt?: LearntOutbox) {
    this.#stream = stream;
    this.#host = host;
    this.#learnt = learnt;
  }

  hello(hello: NodeHello): void {
    this.#stream.write({ message: { $case: "hello", value: hello } });
  }

  reportSoon(): void {
    this.#reportDue = true;
    this.#next();
  }

  trafficSoon(): void {
    this.#trafficDue = true;
    this.#next();
  }

  hellosSoon(): void {
    this.#hellosDue = true;
    this.#next();
  }

  /** From now on it also carries what the node learnt. */
  shareLearnt(): void {
    this.#closeLearnt ??= this.#learnt?.open(() => this.#next());
  }

  /** `left` is called when the result is on its way. */
  answer(result: DirectiveResult, left: () => void): void {
    this.#results.push({ result, left });
    this.#next();
  }

  /** The session is over. What was on its way may or may not have arrived: counts that did not leave are kept. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#gap);
    this.#closeLearnt?.();
    if (this.#leaving !== undefined) this.#host.traffic.putBack(this.#leaving);
    this.#leaving = undefined;
  }

  #next(): void {
    if (this.#writing || this.#ended) return;
    const message = this.#pick();
    if (message === undefined) return;
    this.#writing = true;
    this.#stream.write({ message }, (error: unknown) => {
      // After an error nothing leaves any more: the session ends, and `end` is called.
      if (this.#ended || error != null) return;
      this.#writing = false;
      this.#leaving = undefined;
      this.#next();
    });
  }

  #pick(): Message | undefined {
    const answer = this.#results.shift();
    if (answer !== undefined) {
      answer.left();
      return { $case: "directiveResult", value: answer.result };
    }
    if (this.#reportDue && this.#gap === undefined) {
      this.#reportDue = false;
      this.#gap = setTimeout(() => {
        this.#gap = undefined;
        this.#next();
      }, reportGapMs);
      return { $case: "report", value: nodeReport(this.#host.state()) };
    }
    const learnt = this.#closeLearnt && this.#learnt?.take();
    if (learnt?.is === "question") return { $case: "learntQuestion", value: { asker: "" } };
    if (learnt !== undefined) return { $case: "learnt", value: learntToWire(learnt.learnt, learnt.to) };
    const { traffic } = this.#host;
    const hellos = this.#hellosDue ? traffic.hellos.take() : undefined;
    this.#hellosDue = false;
    if (hellos !== undefined) return { $case: "helloSample", value: helloSampleMessage(hellos) };
    this.#leaving = this.#trafficDue ? traffic.take(entriesPerDelta) : undefined;
    this.#trafficDue = false;
    return this.#leaving && { $case: "traffic", value: trafficDelta(this.#leaving) };
  }
}

function helloSampleMessage(hellos: readonly SampledHello[]): HelloSample {
  return {
    hellos: hellos.map(({ alpnProtocols, count, ...hello }) => ({
      ...hello,
      alpnProtocols: [...alpnProtocols],
      count: BigInt(count),
    })),
  };
}
