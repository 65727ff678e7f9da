import { EventEmitter } from "node:events";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  DirectiveResult,
  NodeHello,
  NodeReport,
  type SessionRequest,
  type SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { DirectiveDesk, directivesPerNodeMax, directiveTimeoutMs } from "./directives.ts";
import { FleetView } from "./fleet-view.ts";
import { LearntHub } from "./learnt-hub.ts";
import { sessionMessageBytesMax, sessionRate } from "./session-limits.ts";
import { readMessage } from "./session-message.ts";
import { holdSession } from "./session.ts";

/** The server's side of a call, by hand: messages come exactly when the test says. */
class HandMadeCall extends EventEmitter {
  readonly written: SessionResponse[] = [];
  readonly errors: { readonly code: status }[] = [];
  ended = false;

  constructor() {
    super();
    this.on("error", (error) => this.errors.push(error));
  }
  write(message: SessionResponse): void {
    this.written.push(message);
  }
  end(): void {
    this.ended = true;
  }
  hello(nodeId: string): void {
    this.hear({ $case: "hello", value: NodeHello.fromPartial({ nodeId }) });
  }
  hear(message: SessionRequest["message"], bytes = 0): void {
    this.emit("data", { message, bytes });
  }
  /** Ids of the directives that were sent. */
  directives(): string[] {
    return this.written.flatMap(({ message }) => (message?.$case === "directive" ? [message.value.id] : []));
  }
}

function held(stopping = new AbortController()) {
  const clock = { ms: 0 };
  const view = new FleetView("cp-1");
  const call = new HandMadeCall();
  const desk = new DirectiveDesk();
  const parts = {
    view,
    desk,
    learnt: new LearntHub(),
    now: () => 0,
    monotonicMs: () => clock.ms,
    softwareVersion: "test",
    stopping: stopping.signal,
  };
  holdSession(parts, call as unknown as ServerDuplexStream<SessionRequest, SessionResponse>);
  return { view, desk, call, clock, stopping };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("after the cut nothing is looked at: one error, and no node", () => {
  const { view, call } = held();
  for (const id of ["n", "n", "n", "other"]) call.hello(id);
  expect(call.errors).toMatchObject([{ code: status.INVALID_ARGUMENT, details: "a second hello" }]);
  expect(view.connectedCount).toBe(0);
  expect(call.written.length).toBe(1);
});

test("the server's stop ends a session, also one that begins only then", () => {
  const { view, call, stopping } = held();
  call.hello("n");
  expect(view.connectedCount).toBe(1);
  stopping.abort();
  expect(call.ended).toBe(true);
  expect(view.connectedCount).toBe(0);
  const late = held(stopping);
  expect(late.call.ended).toBe(true);
  late.call.hello("n");
  expect(late.view.connectedCount).toBe(0);
});

const report = (): SessionRequest["message"] => ({
  $case: "report",
  value: NodeReport.fromPartial({ digest: new Uint8Array(32) }),
});

test("a node may say as much as the rate allows, and one message more ends its session", () => {
  const { call, clock } = held();
  call.hello("n");
  for (let said = 1; said < sessionRate.messagesBurst; said += 1) call.hear(report());
  expect(call.errors).toEqual([]);
  clock.ms += 1000;
  for (let said = 0; said < sessionRate.messagesPerS; said += 1) call.hear(report());
  expect(call.errors).toEqual([]);
  call.hear(report());
  expect(call.errors).toMatchObject([{ code: status.RESOURCE_EXHAUSTED }]);
});

test("bytes are counted as messages are", () => {
  const { call, clock, view } = held();
  call.hello("n");
  for (let bytes = 0; bytes < sessionRate.bytesBurst; bytes += sessionMessageBytesMax)
    call.hear(report(), sessionMessageBytesMax);
  clock.ms += 1000;
  call.hear(report(), sessionRate.bytesPerS);
  expect(call.errors).toEqual([]);
  call.hear(report(), 1);
  expect(call.errors).toMatchObject([{ code: status.RESOURCE_EXHAUSTED }]);
  expect(view.connectedCount).toBe(0);
});

test("what is too large is not decoded, and what is no protobuf is no fault of the server", () => {
  expect(readMessage(Buffer.alloc(sessionMessageBytesMax + 1))).toMatchObject({
    message: undefined,
    fault: expect.stringContaining("at most") as string,
  });
  expect(readMessage(Buffer.from([0x0a, 0xff]))).toMatchObject({
    message: undefined,
    fault: "a message that is no protobuf",
    bytes: 2,
  });
});

test("answers come back to whoever asked, whatever their order", async () => {
  const { call, desk } = held();
  call.hello("n");
  const session = desk.of("n");
  const asked = ["a", "b"].map(async () => session?.ask({ $case: "drain", value: {} }));
  for (const id of call.directives().reverse())
    call.hear({ $case: "directiveResult", value: DirectiveResult.fromPartial({ id, refused: `no ${id}` }) });
  call.hear({ $case: "directiveResult", value: DirectiveResult.fromPartial({ id: "99" }) });
  const [first, second] = call.directives();
  expect(await Promise.all(asked)).toMatchObject(
    [first, second].map((id) => ({ outcome: "answered", result: { id, refused: `no ${id}` } })),
  );
});

test("a directive ends when its time is over, when the session is, and at once above the limit", async () => {
  const { call, desk } = held();
  call.hello("n");
  const session = desk.of("n");
  const late = session?.ask({ $case: "drain", value: {} });
  await vi.advanceTimersByTimeAsync(directiveTimeoutMs);
  expect(await late).toEqual({ outcome: "timeout" });
  const waiting = Array.from({ length: directivesPerNodeMax }, async () =>
    session?.ask({ $case: "undrain", value: {} }),
  );
  expect(await session?.ask({ $case: "undrain", value: {} })).toEqual({ outcome: "too_many" });
  call.emit("end");
  expect(new Set((await Promise.all(waiting)).map((end) => end?.outcome))).toEqual(new Set(["session_over"]));
  expect(desk.of("n")).toBeUndefined();
});

test("a superseded session's end leaves the newer one's directives alone", () => {
  const { call, desk, view } = held();
  call.hello("n");
  const first = desk.of("n");
  const other = new HandMadeCall();
  const parts = {
    view,
    desk,
    learnt: new LearntHub(),
    now: () => 0,
    monotonicMs: () => 0,
    softwareVersion: "",
    stopping: new AbortController().signal,
  };
  holdSession(parts, other as unknown as ServerDuplexStream<SessionRequest, SessionResponse>);
  other.hello("n");
  expect(desk.of("n")).not.toBe(first);
  call.emit("end");
  expect(desk.of("n")).toBeDefined();
});
