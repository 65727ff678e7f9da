import type { AlertName } from "../../model/alert.ts";
import { alertRecord } from "../hello/alert-record.ts";
import type { HelloOutcome } from "../hello/hello-outcome.ts";

const noBytes = new Uint8Array(0);

/** What a rejected client is sent: the alert in a record version that it reads, or nothing where it speaks no TLS. */
export function rejectionBytes(alert: AlertName | null, hello: HelloOutcome): Uint8Array {
  if (alert === null) return noBytes;
  if (hello.outcome === "complete") return alertRecord(alert, hello.hello.alertRecordVersion);
  return hello.outcome === "rejected" && hello.recordVersion > 0 ? alertRecord(alert, hello.recordVersion) : noBytes;
}
