import type { AlertName } from "../../model/alert.ts";
import { alertRecord } from "../hello/alert-record.ts";

const noBytes = new Uint8Array(0);

/**
 * What a rejected client is sent.
 * @param recordVersion that the client reads; 0 where it does not speak TLS, and gets no alert
 */
export function rejectionBytes(alert: AlertName | null, recordVersion: number): Uint8Array {
  return alert === null || recordVersion === 0 ? noBytes : alertRecord(alert, recordVersion);
}
