import { EventEmitter } from "node:events";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import {
  NodeHello,
  type SessionRequest,
  type SessionResponse,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { FleetView } from "./fleet-view.ts";
import { holdSession } from "./session.ts";

/** The server's side of a call, by hand: messages come exactly when the test says. */
class HandMadeCall extends EventEmitter {
  readonly written: unknown[] = [];
  readonly errors: { readonly code: status }[] = [];
  ended = false;

  constructor() {
    super();
    this.on("error", (error) => this.errors.push(error));
  }
  write(message: unknown): void {
    this.written.push(message);
  }
  end(): void {
    this.ended = true;
  }
  hello(nodeId: string): void {
    const message: SessionRequest["message"] = { $case: "hello", value: NodeHello.fromPartial({ nodeId }) };
    this.emit("data", { message });
  }
}

function held(stopping = new AbortController()) {
  const view = new FleetView();
  const call = new HandMadeCall();
  const parts = { view, now: () => 0, softwareVersion: "test", stopping: stopping.signal };
  holdSession(parts, call as unknown as ServerDuplexStream<SessionRequest, SessionResponse>);
  return { view, call, stopping };
}

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
