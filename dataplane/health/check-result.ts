import type { HealthReason } from "../../model/health-reason.ts";

/** What one check of a server showed. */
export type CheckResult = CheckPassed | CheckFailed;

export interface CheckPassed {
  readonly passed: true;
  /** Until when the certificate that was shown is valid, in milliseconds since 1970; null where none was seen. */
  readonly certificateExpiryMs: number | null;
}

export interface CheckFailed {
  readonly passed: false;
  readonly reason: HealthReason;
  /** In words: the alert, the status, the name. At most {@link detailCharactersMax} characters. */
  readonly detail: string;
  readonly certificateExpiryMs: number | null;
}

/** What a server says of itself may be long; it goes into logs and reports. */
export const detailCharactersMax = 200;

export function checkFailed(
  reason: HealthReason,
  detail: string,
  certificateExpiryMs: number | null = null,
): CheckFailed {
  return { passed: false, reason, detail: detail.slice(0, detailCharactersMax), certificateExpiryMs };
}
