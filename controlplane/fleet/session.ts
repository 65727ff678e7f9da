import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { durationToWire } from "../../model/wire/duration.ts";
import { learntBytesMax, learntFromWire } from "../../model/wire/learnt.ts";
import type { NodeHello, SessionRequest, SessionResponse } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { Learnt } from "../../proto/gen/switchyard/fleet/v1/learnt.ts";
import { type DirectiveDesk, SessionDirectives } from "./directives.ts";
import type { FleetNode } from "./fleet-node.ts";
import type { FleetView } from "./fleet-view.ts";
import { LearntAllowance } from "./learnt-allowance.ts";
import { hellosFromWire, nodeHellosMax } from "./hello-samples.ts";
import type { LearntHub, LearntMember } from "./learnt-hub.ts";
import { helloFault, reportFault, resultFault, trafficFault } from "./session-limits.ts";
import type { ReceivedMessage } from "./session-message.ts";
import { SessionAllowance } from "./session-rate.ts";

/** How often a node is asked to report when nothing changes. */
const reportIntervalMs = 1000;

/** What sessions work on. */
export interface SessionParts {
  readonly view: FleetView;
  readonly desk: DirectiveDesk;
  readonly learnt: LearntHub;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds by a clock that never goes back. */
  readonly monotonicMs: () => number;
  readonly softwareVersion: string;
  /** Aborts when the server stops: sessions end then. */
  readonly stopping: AbortSignal;
}

type SessionCall = ServerDuplexStream<SessionRequest, SessionResponse>;

/**
 * Holds one node's session. A node that breaks the protocol is cut off with INVALID_ARGUMENT, one that says too much,
 * or is one too many, with RESOURCE_EXHAUSTED; the others are not touched. What comes after the cut, as it was on its
 * way, is not looked at.
 */
export function holdSession(parts: SessionParts, call: SessionCall): void {
  const session = new NodeSession(parts, call);
  const finish = (): void => {
    session.leave();
    call.end();
  };
  const leave = (): void => session.leave();
  session.onLeave = () => parts.stopping.removeEventListener("abort", finish);
  call.on("data", (message: ReceivedMessage) => session.hear(message));
  call.on("end", finish);
  call.on("cancelled", leave);
  call.on("error", leave);
  parts.stopping.addEventListener("abort", finish);
  if (parts.stopping.aborted) finish();
}

/** One session: before the hello, with a node, over. */
class NodeSession {
  readonly #parts: SessionParts;
  readonly #call: SessionCall;
  readonly #allowance: SessionAllowance;
  readonly #directives: SessionDirectives;
  readonly #learntAllowance: LearntAllowance;
  #node: FleetNode | undefined;
  #member: LearntMember | undefined;
  #over = false;
  onLeave: () => void = () => undefined;

  constructor(parts: SessionParts, call: SessionCall) {
    this.#parts = parts;
    this.#call = call;
    this.#allowance = new SessionAllowance(parts.monotonicMs());
    this.#learntAllowance = new LearntAllowance(parts.monotonicMs());
    this.#directives = new SessionDirectives((directive) =>
      call.write({ message: { $case: "directive", value: directive } }),
    );
  }

  hear({ message, bytes, fault }: ReceivedMessage): void {
    if (this.#over) return;
    if (fault !== undefined) return this.#cut(fault);
    if (!this.#allowance.take(bytes ?? 0, this.#parts.monotonicMs()))
      return this.#cut("too many messages, or too many bytes", status.RESOURCE_EXHAUSTED);
    if (message?.$case === "hello") return this.#hello(message.value);
    // A newer node says something that this control plane does not know: ignored, as the contract asks.
    if (message === undefined) return;
    const node = this.#node;
    if (node === undefined) return this.#cut("a hello comes first");
    const { view, now } = this.#parts;
    switch (message.$case) {
      case "report":
        if (this.#sound(reportFault(message.value))) view.report(node, message.value, now());
        return;
      case "traffic":
        if (this.#sound(trafficFault(message.value))) view.traffic(node, message.value);
        return;
      case "directiveResult":
        if (this.#sound(resultFault(message.value))) this.#directives.answered(message.value);
        return;
      case "learnt":
        this.#shares(message.value, bytes ?? 0);
        return;
      case "learntQuestion":
        this.#asks();
        return;
      case "helloSample": {
        const hellos = hellosFromWire(message.value, nodeHellosMax);
        if (typeof hellos === "string") this.#cut(hellos);
        else view.sampled(node, hellos);
      }
    }
  }

  leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.onLeave();
    if (this.#node === undefined) return;
    this.#parts.view.disconnect(this.#node);
    if (this.#member !== undefined) this.#parts.learnt.leave(this.#member);
    this.#parts.desk.close(this.#node.id, this.#directives);
  }

  #hello(hello: NodeHello): void {
    const fault = this.#node === undefined ? helloFault(hello) : "a second hello";
    if (fault !== undefined) return this.#cut(fault);
    const { view, desk, now, softwareVersion } = this.#parts;
    const node = view.connect(hello, now());
    if (node === undefined) return this.#cut("there are too many nodes already", status.RESOURCE_EXHAUSTED);
    this.#node = node;
    const welcome = { softwareVersion, replica: view.replica, reportInterval: durationToWire(reportIntervalMs) };
    this.#call.write({ message: { $case: "welcome", value: welcome } });
    desk.open(node.id, this.#directives);
    this.#join(node);
  }

  #join({ id: nodeId, hello: { region } }: FleetNode): void {
    const call = this.#call;
    const send = (response: SessionResponse): unknown => call.write(response);
    this.#member = { nodeId, region, hasRoom: () => !call.writableNeedDrain, send };
    this.#parts.learnt.join(this.#member);
  }

  /** Passed on as it came, once it is known to be sound. */
  #shares(learnt: Learnt, bytes: number): void {
    const { monotonicMs, learnt: hub } = this.#parts;
    if (!this.#learntAllowance.takeMessage(monotonicMs()))
      return this.#cut("too much is shared", status.RESOURCE_EXHAUSTED);
    if (bytes > learntBytesMax) return this.#cut(`learnt: at most ${learntBytesMax} bytes`);
    const checked = learntFromWire(learnt);
    if (typeof checked === "string") return this.#cut(`learnt: ${checked}`);
    if (this.#member !== undefined) hub.share(this.#member, learnt);
  }

  #asks(): void {
    const { monotonicMs, learnt } = this.#parts;
    if (!this.#learntAllowance.takeQuestion(monotonicMs()))
      return this.#cut("too many questions", status.RESOURCE_EXHAUSTED);
    if (this.#member !== undefined) learnt.ask(this.#member);
  }

  #sound(fault: string | undefined): boolean {
    if (fault !== undefined) this.#cut(fault);
    return fault === undefined;
  }

  #cut(details: string, code = status.INVALID_ARGUMENT): void {
    this.leave();
    this.#call.emit("error", { code, details });
  }
}
