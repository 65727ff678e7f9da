import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { Status } from "../../proto/gen/google/rpc/status.ts";
import { refusalReason } from "./refusal-reason.ts";

const info = ErrorInfo.encode({ reason: "FORKED", domain: "switchyard", metadata: {} }).finish();
const errorInfo = { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: info };
const other = { typeUrl: "type.googleapis.com/google.rpc.Help", value: Uint8Array.of(1, 2, 3) };

function withDetails(details: Status["details"]): Uint8Array {
  return Status.encode({ code: 9, message: "no", details }).finish();
}

/** An error as grpc-js makes it. */
function error(details: Uint8Array | undefined): Error {
  const metadata = new Metadata();
  if (details !== undefined) metadata.set("grpc-status-details-bin", Buffer.from(details));
  return Object.assign(new Error("no"), { code: 9, metadata });
}

describe("the reason of a refusal", () => {
  it.each<[string, unknown, string]>([
    ["is what ErrorInfo says", error(withDetails([errorInfo])), "FORKED"],
    ["is found among other details", error(withDetails([other, errorInfo])), "FORKED"],
    ["is empty without details", error(undefined), ""],
    ["is empty for details of other kinds", error(withDetails([other])), ""],
    ["is empty for damaged details", error(Uint8Array.of(0xff, 1, 2)), ""],
    ["is empty for a damaged ErrorInfo", error(withDetails([{ ...errorInfo, value: Uint8Array.of(0x0a, 9) }])), ""],
    ["is empty for an error that no call made", new Error("x"), ""],
    ["is empty for what is no error", undefined, ""],
  ])("%s", (_what, thrown, reason) => {
    expect(refusalReason(thrown)).toBe(reason);
  });
});
