import { TlsVersion as WireTlsVersion } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { HealthCheck, HttpProbe, Probe, StatusRange, TlsProbe, TlsVersion } from "../farm-policy.ts";
import { parseIpAddress } from "../address.ts";
import { parseServerName } from "../server-name.ts";
import type { ViolationReason } from "../violation.ts";
import { type FieldReader, quoted } from "./field-reader.ts";

const caBytesMax = 256 * 1024;
const defaultStatuses: readonly StatusRange[] = [{ first: 200, last: 399 }];
const anyTls: TlsProbe = {
  serverName: "",
  alpnProtocols: [],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  verify: false,
  caCertificates: "",
};

/** Fields are named below `health_check`. */
export function parseHealthCheck(message: wire.HealthCheck, reader: FieldReader): HealthCheck {
  const intervalMs = reader.durationMs("health_check.interval", message.interval, {
    min: 100,
    max: 3_600_000,
    fallback: 2000,
  });
  return {
    probe: parseProbe(message.kind, reader),
    intervalMs,
    fastIntervalMs: reader.durationMs("health_check.fast_interval", message.fastInterval, {
      min: 100,
      max: 3_600_000,
      fallback: intervalMs,
    }),
    jitterPercent: reader.number("health_check.jitter", message.jitter ?? 10, { min: 0, max: 50, fallback: 10 }),
    timeoutMs: reader.durationMs("health_check.timeout", message.timeout, { min: 10, max: 60_000, fallback: 2000 }),
    rise: reader.count("health_check.rise", message.rise, { min: 1, max: 100, fallback: 2 }),
    fall: reader.count("health_check.fall", message.fall, { min: 1, max: 100, fallback: 3 }),
    port:
      message.port === 0
        ? null
        : reader.number("health_check.port", message.port, { min: 1, max: 65_535, fallback: 1 }),
  };
}

function parseProbe(kind: wire.HealthCheck["kind"], reader: FieldReader): Probe {
  switch (kind?.$case) {
    case "tcp":
      return { type: "tcp" };
    case "tls":
      return { type: "tls", tls: parseTls(kind.value, "health_check.tls", reader) };
    case "https": {
      const { tls } = kind.value;
      const h2 = tls?.alpnProtocols.findIndex((protocol) => protocol === "h2" || protocol === "h3") ?? -1;
      if (h2 >= 0)
        reader.refuse(`health_check.https.tls.alpn_protocols[${h2}]`, "malformed", "the check speaks HTTP/1.1 only");
      return {
        type: "https",
        tls: tls === undefined ? anyTls : parseTls(tls, "health_check.https.tls", reader),
        http: parseHttp(kind.value, reader),
      };
    }
    case undefined:
      reader.refuse("health_check", "required", "one of tcp, tls or https is needed");
      return { type: "tcp" };
  }
}

const versions: Readonly<Record<number, TlsVersion | null>> = {
  [WireTlsVersion.TLS_VERSION_UNSPECIFIED]: null,
  [WireTlsVersion.TLS_VERSION_1_2]: "TLSv1.2",
  [WireTlsVersion.TLS_VERSION_1_3]: "TLSv1.3",
};

function parseTls(message: wire.TlsCheck, field: string, reader: FieldReader): TlsProbe {
  const minVersion = reader.choice(`${field}.min_version`, message.minVersion, versions) ?? "TLSv1.2";
  const maxVersion = reader.choice(`${field}.max_version`, message.maxVersion, versions) ?? "TLSv1.3";
  if (minVersion > maxVersion) reader.refuse(`${field}.max_version`, "out_of_range", "it is older than min_version");
  const named = message.serverName === "" ? undefined : parseServerName(message.serverName);
  // RFC 6066 section 3: addresses are not permitted in server_name.
  if (named !== undefined && (!("name" in named) || parseIpAddress(message.serverName) !== undefined))
    reader.refuse(`${field}.server_name`, "malformed", `${quoted(message.serverName)} is no server name`);
  const fault = message.caCertificates === "" ? undefined : certificatesFault(message.caCertificates);
  if (fault !== undefined) reader.refuse(`${field}.ca_certificates`, ...fault);
  else if (message.caCertificates !== "" && !message.verify)
    reader.refuse(`${field}.ca_certificates`, "malformed", "it has no use without verify");
  return {
    serverName: named !== undefined && "name" in named ? named.name : "",
    alpnProtocols: reader.list(`${field}.alpn_protocols`, message.alpnProtocols, 8, (value, element) => {
      if (/^[\x21-\x7e]{1,255}$/.test(value)) return value;
      reader.refuse(element, "malformed", `${quoted(value)} is no ALPN protocol: 1 to 255 printable ASCII characters`);
      return undefined;
    }),
    minVersion,
    maxVersion,
    verify: message.verify,
    caCertificates: message.caCertificates,
  };
}

/**
 * Why a text is no list of certificates in PEM form (RFC 7468), or undefined. Text around the blocks is explanatory and
 * allowed. Whether a block holds a certificate that can be used shows where it is used.
 */
function certificatesFault(text: string): readonly [ViolationReason, string] | undefined {
  if (text.length > caBytesMax || new TextEncoder().encode(text).length > caBytesMax)
    return ["out_of_range", `more than ${caBytesMax} bytes`];
  const [, ...blocks] = text.split("-----BEGIN ");
  if (blocks.length === 0) return ["malformed", "there is no certificate in PEM form in it"];
  for (const block of blocks) {
    const label = block.slice(0, Math.max(0, block.indexOf("-----")));
    // Whoever may read the configuration would read the key.
    if (label.endsWith("PRIVATE KEY")) return ["malformed", "there is a private key in it, and it must not be"];
    if (label !== "CERTIFICATE") return ["malformed", `there is something else than certificates: ${quoted(label)}`];
    const end = block.indexOf("-----END CERTIFICATE-----");
    const content = block.slice(label.length + "-----".length, end).replace(/\s+/g, "");
    // The DER of a certificate begins with a SEQUENCE of more than 127 bytes.
    if (end < 0 || !/^MI[A-Za-z0-9+/]+={0,2}$/.test(content) || content.length % 4 !== 0)
      return ["malformed", "there is a certificate in it that is cut off or damaged"];
  }
  return undefined;
}

/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

function parseHttp(message: wire.HttpsCheck, reader: FieldReader): HttpProbe {
  const { method, path, host } = message;
  if (method !== "" && !token.test(method))
    reader.refuse("health_check.https.method", "malformed", `${quoted(method)} is no HTTP method`);
  if (path !== "" && !/^\/[\x21-\x7e]{0,2047}$/.test(path))
    reader.refuse(
      "health_check.https.path",
      "malformed",
      `${quoted(path)} is no path: it begins with /, printable ASCII`,
    );
  if (!/^[A-Za-z0-9.:_[\]-]{0,255}$/.test(host))
    reader.refuse("health_check.https.host", "malformed", `${quoted(host)} is no host`);
  const statuses: StatusRange[] = [];
  reader.list("health_check.https.expected_statuses", message.expectedStatuses, 16, (value, element) => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(value);
    const range = { first: Number(match?.[1]), last: Number(match?.[2] ?? match?.[1]) };
    if (match !== null && range.first <= range.last) statuses.push(range);
    else reader.refuse(element, "malformed", `${quoted(value)} is no status: 200, or 200-399`);
    return value;
  });
  return {
    method: method === "" ? "GET" : method,
    path: path === "" ? "/" : path,
    host,
    expectedStatuses: statuses.length === 0 ? defaultStatuses : statuses,
  };
}
