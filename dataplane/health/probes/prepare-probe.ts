import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Probe, TlsProbe } from "../../../model/farm-policy.ts";
import { checkFailed } from "../check-result.ts";
import type { PreparedProbe } from "./probe.ts";

/** Makes what all checks of a farm share: certificates to trust are read once, not at every handshake. */
export function prepareProbe(probe: Probe): PreparedProbe {
  if (probe.type === "tcp") return probe;
  let context: SecureContext;
  try {
    context = secureContext(probe.tls);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    return { type: "impossible", result: checkFailed("certificate_untrusted", `ca_certificates: ${words}`) };
  }
  return { ...probe, context };
}

function secureContext({ minVersion, maxVersion, verify, caCertificates }: TlsProbe): SecureContext {
  if (!verify || caCertificates === "") return createSecureContext({ minVersion, maxVersion });
  const blocks = caCertificates.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs);
  if (blocks === null) throw new Error("there is no certificate in it");
  // Each is read here for the error's sake: a context leaves out what it can't read, and says nothing.
  const ca = blocks.map((each) => new X509Certificate(each).toString());
  return createSecureContext({ minVersion, maxVersion, ca });
}
