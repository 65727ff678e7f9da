import { type AlertName, alertCode } from "../../model/alert.ts";

const alertContentType = 21;
const fatalLevel = 2;

/** Oldest and newest version that stand in a record header (RFC 8446 section 5.1: TLS 1.3 writes 0x0303). */
const recordVersionMin = 0x0301;
const recordVersionMax = 0x0303;

/**
 * The record version that a client will read, from a version that it announced, in its hello or in a record header: a
 * client that has no answer yet takes any record up to its own version, and TLS 1.3 never writes more than 0x0303.
 */
export function readableRecordVersion(announced: number): number {
  return Math.min(Math.max(announced, recordVersionMin), recordVersionMax);
}

/**
 * A fatal alert as one plaintext record of 7 bytes (RFC 8446 section 6), to be sent in place of a ServerHello.
 *
 * @param recordVersion that this client will read: of a rejected outcome, or `alertRecordVersion` of a hello; what no
 *   client reads is brought into range. Do not send an alert where a rejected outcome says 0: that is not TLS.
 */
export function alertRecord(alert: AlertName, recordVersion: number): Uint8Array {
  const version = readableRecordVersion(recordVersion);
  return Uint8Array.of(alertContentType, version >> 8, version & 0xff, 0, 2, fatalLevel, alertCode[alert]);
}
