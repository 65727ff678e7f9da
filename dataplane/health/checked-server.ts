import { joinSocketAddress, type SocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { Server } from "../../model/resource.ts";
import type { ServerAddresses } from "../resolve/server-addresses.ts";
import type { CheckedFarm } from "./checked-farm.ts";
import type { RunningProbe } from "./probes/probe.ts";

/** Handshakes that follow each other at once when a server's tickets are to be learnt: what they share is the name. */
const learningHandshakes = 3;

/** After so many handshakes in a row without a ticket, only one in so many waits for tickets. */
const ticketlessMax = 3;
const ticketlessLooks = 10;

/** One server that is checked, and the check of it that runs. */
export class CheckedServer {
  server: Server;
  farm: CheckedFarm;
  running: RunningProbe | null = null;
  /** What the board said to the running check's result: its state is changing. */
  isChanging = false;
  /** Of the running check: one list of ticket heads for each handshake that brought any. */
  handshakes: (readonly Uint8Array[])[] = [];
  #wantsToLearn = true;
  #handshakesLeft = 0;
  #ticketless = 0;
  #wasUnresolved = false;

  constructor(server: Server, farm: CheckedFarm) {
    this.server = server;
    this.farm = farm;
  }

  /** The next check is to bring several handshakes. */
  learnTickets(): void {
    this.#wantsToLearn = true;
    this.#ticketless = 0;
  }

  /** A check begins. */
  begin(): void {
    this.isChanging = false;
    this.handshakes = [];
    this.#handshakesLeft = this.farm.followsTickets && this.#wantsToLearn ? learningHandshakes : 1;
  }

  /** Whether tickets are worth waiting for: a server that gives none is listened to only now and then. */
  get wantsTickets(): boolean {
    if (!this.farm.followsTickets) return false;
    return this.#ticketless < ticketlessMax || this.#ticketless % ticketlessLooks === 0;
  }

  /** A handshake of the check is over. Gives whether another is to follow at once. */
  ended(ticketHeads: readonly Uint8Array[]): boolean {
    // Servers send them unasked.
    if (!this.farm.followsTickets) return false;
    if (ticketHeads.length === 0) {
      this.#ticketless += 1;
      return false;
    }
    this.#ticketless = 0;
    this.handshakes.push(ticketHeads);
    this.#handshakesLeft -= 1;
    if (this.#handshakesLeft > 0) return true;
    this.#wantsToLearn = false;
    return false;
  }

  /** Where it is to be checked now; undefined where its name has no address. */
  address(addresses: ServerAddresses): SocketAddress | undefined {
    const { server } = this;
    const next = addresses.next(server.checkAddress === null ? server : { ...server, address: server.checkAddress });
    const { port } = this.farm.check;
    if (next !== undefined) this.#wasUnresolved = false;
    return next === undefined || port === null ? next : joinSocketAddress(splitSocketAddress(next).host, port);
  }

  /** It has no address to be checked at. Whether that was so last time, too: at first its name may just not be resolved yet. */
  isUnresolvedAgain(): boolean {
    const again = this.#wasUnresolved;
    this.#wasUnresolved = true;
    return again;
  }

  /** Whether checks go where connections go, so that they say something of that address. */
  get isCheckedWhereItServes(): boolean {
    return this.server.checkAddress === null && this.farm.check.port === null;
  }
}
