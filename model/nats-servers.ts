/** Servers of NATS, in the form in which the `nats` library takes them. */
export interface NatsServers {
  readonly servers: string[];
  readonly user?: string;
  readonly pass?: string;
  readonly tls?: Record<string, never>;
}

/**
 * Reads `nats://HOST:PORT`, several with commas between; `tls://` for TLS; `nats://USER:PASSWORD@HOST:PORT`. The first user
 * and password that a URL names hold for all of them.
 *
 * @throws RangeError for a URL that is none; the message has no password
 */
export function parseNatsUrls(text: string): NatsServers {
  const servers: string[] = [];
  let user: string | undefined;
  let pass = "";
  let encrypted = false;
  for (const part of text.split(",")) {
    const trimmed = part.trim();
    const url = parsed(trimmed.includes("://") ? trimmed : `nats://${trimmed}`);
    if (url === undefined)
      throw new RangeError(`${JSON.stringify(withoutPassword(trimmed))} is no nats:// or tls:// URL`);
    servers.push(`${url.hostname}:${url.port === "" ? "4222" : url.port}`);
    encrypted ||= url.protocol === "tls:";
    if (url.username !== "" && user === undefined) {
      user = decodeURIComponent(url.username);
      pass = decodeURIComponent(url.password);
    }
  }
  return { servers, ...(user === undefined ? {} : { user, pass }), ...(encrypted ? { tls: {} } : {}) };
}

function parsed(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^(?:nats|tls):$/.test(url.protocol) && url.hostname !== "" ? url : undefined;
}

function withoutPassword(text: string): string {
  return text.slice(0, 200).replace(/\/\/.*@/, "//***@");
}
