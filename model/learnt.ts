import type { ServerResourceName } from "./resource-name.ts";

/**
 * Which servers can resume which TLS sessions, as one node found out and the others of its region want to know. Ages are
 * told rather than times, as clocks differ. On the wire: `wire/learnt.ts`.
 */
export interface Learnt {
  readonly ticketNames: readonly LearntTicketName[];
  readonly sessionIds: readonly LearntSessionId[];
}

export interface LearntTicketName {
  readonly server: ServerResourceName;
  /** The 4 to 32 bytes with which its tickets begin. */
  readonly name: Uint8Array;
  /** Since a ticket of that name was last seen to be good. */
  readonly ageMs: number;
  /** The server has dropped the key. */
  readonly dropped: boolean;
}

/** An id that a server gave (TLS 1.2 and older). */
export interface LearntSessionId {
  readonly server: ServerResourceName;
  /** 1 to 32 bytes. */
  readonly id: Uint8Array;
  readonly ageMs: number;
}

export const ticketNameBytesMin = 4;
export const ticketNameBytesMax = 32;
export const sessionIdBytesMax = 32;

/**
 * Entries of one message, which fit into its 256 KiB however long their servers' names are: each takes at most 141 bytes of
 * name, and 60 beyond it.
 */
export const learntEntriesMax = 1000;
