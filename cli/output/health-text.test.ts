import { describe, expect, it } from "vitest";
import { healthReasons } from "../../model/health-reason.ts";
import { ServerHealthState } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { certificateText, reasonText, stateWord } from "./health-text.ts";

const now = Date.parse("2026-11-22T12:00:00Z");
const at = (time: string) => ({ seconds: BigInt(Date.parse(time) / 1000), nanos: 0 });

describe("a certificate that ends soon stands out", () => {
  const cases: readonly (readonly [expiry: string, text: string])[] = [
    ["2027-11-22T12:00:00Z", "2027-11-22"],
    ["2026-12-22T12:00:00Z", "2026-12-22"],
    ["2026-12-22T11:59:59Z", "EXPIRES 2026-12-22 (29 days)"],
    ["2026-11-24T11:00:00Z", "EXPIRES 2026-11-24 (1 day)"],
    ["2026-11-22T12:00:00Z", "EXPIRES 2026-11-22 (today)"],
    ["2026-11-22T11:59:59Z", "EXPIRED 2026-11-22"],
  ];
  it.each(cases)("at %s: %s", (expiry, text) => expect(certificateText(at(expiry), now)).toBe(text));

  it("and one that nobody saw does not", () => expect(certificateText(undefined, now)).toBe(""));
});

it("every state has a word of its own, and what an older node does not say is not made up", () => {
  const words = Object.values(ServerHealthState).map(stateWord);
  expect(new Set(words).size).toBe(words.length);
  expect(stateWord(ServerHealthState.SERVER_HEALTH_STATE_UNSPECIFIED)).toBe("failing");
});

it("a reason is shown as it is, with what was seen", () => {
  for (const reason of healthReasons) expect(reasonText({ reason, detail: "" })).toBe(reason);
  expect(reasonText({ reason: "http_status", detail: "503" })).toBe("http_status: 503");
});
