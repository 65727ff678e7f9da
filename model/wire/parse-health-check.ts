import { TlsVersion as WireTlsVersion } from "../../proto/gen/switchyard/config/v1/resources.ts";
import type * as wire from "../../proto/gen/switchyard/config/v1/resources.ts";
import type { HealthCheck, HttpProbe, Probe, StatusRange, TlsProbe, TlsVersion } from "../farm-policy.ts";
import { parseServerName } from "../server-name.ts";
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
  if (named !== undefined && !("name" in named))
    reader.refuse(`${field}.server_name`, "malformed", `${quoted(message.serverName)} is no server name`);
  if (message.caCertificates.length > caBytesMax)
    reader.refuse(`${field}.ca_certificates`, "out_of_range", `more than ${caBytesMax} bytes`);
  else if (message.caCertificates !== "" && !message.caCertificates.includes("-----BEGIN CERTIFICATE-----"))
    reader.refuse(`${field}.ca_certificates`, "malformed", "there is no certificate in PEM form in it");
  if (message.caCertificates !== "" && !message.verify)
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
