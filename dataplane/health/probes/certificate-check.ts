import type { TLSSocket } from "node:tls";
import type { TlsProbe } from "../../../model/farm-policy.ts";
import { type CheckFailed, checkFailed } from "../check-result.ts";

/** What the certificate of a finished handshake shows. */
export interface CertificateSeen {
  /** Milliseconds since 1970; null where no certificate was shown. */
  readonly expiryMs: number | null;
  /** Where the check verifies, and it does not hold. */
  readonly fault: CheckFailed | null;
}

export function seeCertificate(socket: TLSSocket, tls: TlsProbe): CertificateSeen {
  const certificate = socket.getPeerX509Certificate();
  const validTo = certificate === undefined ? Number.NaN : Date.parse(certificate.validTo);
  const expiryMs = Number.isNaN(validTo) ? null : validTo;
  if (!tls.verify || socket.authorized) return { expiryMs, fault: null };
  // Node's type says Error; it is OpenSSL's code, as X509_verify_cert_error_string's name.
  const code = String(socket.authorizationError);
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return {
        expiryMs,
        fault: checkFailed("certificate_expired", `valid until ${isoText(certificate?.validTo)}`, expiryMs),
      };
    case "CERT_NOT_YET_VALID":
      return {
        expiryMs,
        fault: checkFailed("certificate_expired", `valid from ${isoText(certificate?.validFrom)}`, expiryMs),
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID": {
      const names = certificate?.subjectAltName ?? certificate?.subject ?? "no name";
      return { expiryMs, fault: checkFailed("certificate_name", `not for ${tls.serverName}, but ${names}`, expiryMs) };
    }
    default:
      return { expiryMs, fault: checkFailed("certificate_untrusted", code, expiryMs) };
  }
}

function isoText(date: string | undefined): string {
  const timeMs = Date.parse(date ?? "");
  return Number.isNaN(timeMs) ? "?" : new Date(timeMs).toISOString();
}
