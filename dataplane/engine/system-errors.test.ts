import { expect, it } from "vitest";
import { joinSocketAddress } from "../../model/address.ts";
import { bindFailure } from "./bind-failure.ts";
import { connectFailure } from "./connect-failure.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
}

it.each([
  ["ECONNREFUSED", "refused"],
  ["ETIMEDOUT", "timeout"],
  ["ENETUNREACH", "unreachable"],
  ["EHOSTUNREACH", "unreachable"],
  ["ECONNRESET", "reset"],
  ["EADDRNOTAVAIL", "local_limit"],
  ["EMFILE", "local_limit"],
  ["ENFILE", "local_limit"],
  ["ENOBUFS", "local_limit"],
  ["EACCES", "other"],
  ["ESOMETHINGNEW", "other"],
])("connecting that fails with %s is %s", (code, failure) => {
  expect(connectFailure(systemError(code))).toBe(failure);
});

it.each([
  ["EADDRINUSE", "address_in_use"],
  ["EADDRNOTAVAIL", "address_not_available"],
  ["EACCES", "permission_denied"],
  ["EPERM", "permission_denied"],
  ["EMFILE", "descriptors"],
  ["ENFILE", "descriptors"],
  ["EINVAL", "other"],
])("binding that fails with %s is %s", (code, reason) => {
  const address = joinSocketAddress("127.0.0.1", 1);
  expect(bindFailure(address, systemError(code))).toEqual({ address, reason, detail: systemError(code).message });
});

it("what is thrown and is no error of the system's is other", () => {
  expect(connectFailure("text")).toBe("other");
  expect(bindFailure(joinSocketAddress("127.0.0.1", 1), "text")).toMatchObject({ reason: "other", detail: "text" });
});
