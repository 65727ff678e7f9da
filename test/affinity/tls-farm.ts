import type { SocketAddress } from "../../model/address.ts";

/** How a farm's servers resume sessions: by tickets that clients keep, or by ids of sessions that the server keeps. */
export const resumptionModes = ["tls13-tickets", "tls12-tickets", "tls12-ids"] as const;
export type ResumptionMode = (typeof resumptionModes)[number];

/** Each server of a farm has ticket keys and a session store of its own. */
export const serversPerFarm = 4;

export interface FarmServer {
  /** `s1` to `s4`. */
  readonly id: string;
  readonly address: SocketAddress;
}

/** Four servers of one TLS stack that resume in one way. */
export interface TlsFarm {
  /** `nginx-tls13-tickets`: the farm's id, and with `.test` behind it the server name that leads to it. */
  readonly name: string;
  readonly stack: string;
  readonly mode: ResumptionMode;
  readonly servers: readonly FarmServer[];
  /** What a server's answer to a request says of the session; null where it says nothing. */
  resumedBy(answer: string): boolean | null;
}

/** The running servers of one TLS stack. */
export interface TlsStack {
  readonly name: string;
  /** As it tells it itself. */
  readonly version: string;
  readonly farms: readonly TlsFarm[];
  /** Has nothing of it left. */
  stop(): Promise<void>;
}

export function serverIds(): readonly string[] {
  return Array.from({ length: serversPerFarm }, (_, index) => `s${index + 1}`);
}

export function serverNameOf(farm: TlsFarm): string {
  return `${farm.name}.test`;
}
