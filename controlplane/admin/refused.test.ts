import { type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { BadRequest } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import type { Violation } from "../../model/violation.ts";
import { LogCorrupt, LogUnavailable } from "../log/event-log.ts";
import { QueueFull } from "../state/serial-queue.ts";
import { Refused, serviceError } from "./refused.ts";

const violations = (count: number, description: string): Violation[] =>
  Array.from({ length: count }, (_, index) => ({
    field: `resources[${index}].farm`,
    reason: "malformed",
    description,
  }));
const sent = (error: ServiceError): BadRequest["fieldViolations"] => {
  const { details } = Status.decode(error.metadata.get("grpc-status-details-bin")[0] as Buffer);
  return BadRequest.decode(details[1]?.value ?? new Uint8Array()).fieldViolations;
};

describe("each error has its code, and is heard of where it is ours", () => {
  const cases: readonly (readonly [error: unknown, code: status, ours: boolean])[] = [
    [new Refused("ETAG_MISMATCH", ""), status.ABORTED, false],
    [new LogUnavailable("the disk is full"), status.UNAVAILABLE, false],
    [new QueueFull("1000 commands"), status.RESOURCE_EXHAUSTED, false],
    [new LogCorrupt("revision 7"), status.DATA_LOSS, true],
    [new RangeError("a bug"), status.INTERNAL, true],
    ["no error at all", status.INTERNAL, true],
  ];
  test.each(cases)("%s", (error, code, ours) => {
    const heard: unknown[] = [];
    expect(serviceError(error, (each) => heard.push(each)).code).toBe(code);
    expect(heard).toEqual(ours ? [error] : []);
  });
});

test("what is ours is told to nobody but the log", () => {
  const { details, metadata } = serviceError(new RangeError("secret"), () => undefined);
  expect(details).not.toContain("secret");
  expect(metadata.getMap()).toEqual({});
});

describe("an error fits into the 16 KiB of trailers that gRPC clients take", () => {
  test.each([
    ["few", 2, "short", 2],
    ["many", 10_000, "short", 50],
    ["long ones", 50, "x".repeat(700), 4],
    ["one that is very long", 1, "x".repeat(3000), 1],
  ])("%s", (_what, count, description, expected) => {
    const error = serviceError(Refused.by("INVALID_FIELD", violations(count, description)), () => undefined);
    expect(sent(error).length).toBe(expected);
    const trailers = Object.entries({ ...error.metadata.toHttp2Headers(), message: encodeURI(error.details) });
    expect(trailers.reduce((sum, [key, value]) => sum + key.length + String(value).length, 0)).toBeLessThan(16_384);
  });
});

test("a refusal names something", () => {
  expect(() => Refused.by("INVALID_FIELD", [])).toThrow(RangeError);
});
