import { expect, test } from "vitest";
import { alertRecord } from "./alert-record.ts";

test.each([
  { alert: "decode_error", version: 0x0303, bytes: [21, 3, 3, 0, 2, 2, 50] },
  { alert: "unrecognized_name", version: 0x0301, bytes: [21, 3, 1, 0, 2, 2, 112] },
  { alert: "access_denied", version: 0x0302, bytes: [21, 3, 2, 0, 2, 2, 49] },
  { alert: "internal_error", version: 0x0304, bytes: [21, 3, 3, 0, 2, 2, 80] },
  { alert: "protocol_version", version: 0x0300, bytes: [21, 3, 1, 0, 2, 2, 70] },
] as const)("$alert to a client of version $version is one fatal record that it reads", ({ alert, version, bytes }) => {
  expect([...alertRecord(alert, version)]).toStrictEqual(bytes);
});
