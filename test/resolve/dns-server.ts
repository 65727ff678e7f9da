import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { ipBytes } from "../../model/address.ts";

/** What the server says of a name; `silent` says nothing. */
export type Zone =
  | { readonly addresses: readonly string[]; readonly ttl: number; readonly failing?: "A" | "AAAA" }
  | "absent"
  | "failing"
  | "silent";

const types = { A: 1, AAAA: 28 } as const;

/** A small authoritative DNS server on loopback (RFC 1035, UDP only), whose zone a test changes as it goes. */
export class DnsServer {
  readonly zone = new Map<string, Zone>();
  /** `A app.test`, in the order in which they came. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (message, from) => this.#asked(message, from));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #asked(message: Buffer, from: RemoteInfo): void {
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at] as number; length > 0; length = message[at] as number) {
      labels.push(message.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join(".").toLowerCase();
    const type = message.readUInt16BE(at + 1) === types.A ? "A" : "AAAA";
    this.questions.push(`${type} ${name}`);
    const zone = this.zone.get(name) ?? "absent";
    if (zone === "silent") return;
    const question = message.subarray(12, at + 5);
    this.#socket.send(answer(message, question, zone, type), from.port, from.address);
  }
}

function answer(message: Buffer, question: Buffer, zone: Exclude<Zone, "silent">, type: "A" | "AAAA"): Buffer {
  const isFailing = zone === "failing" || (typeof zone === "object" && zone.failing === type);
  const records = typeof zone === "object" && !isFailing ? recordsOf(zone.addresses, zone.ttl, type) : [];
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  const code = isFailing ? 2 : zone === "absent" ? 3 : 0;
  header.writeUInt16BE(0x8480 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

function recordsOf(addresses: readonly string[], ttl: number, type: "A" | "AAAA"): Buffer[] {
  return addresses
    .map((address) => ipBytes(address) as Uint8Array)
    .filter((bytes) => bytes.length === (type === "A" ? 4 : 16))
    .map((bytes) => {
      const record = Buffer.alloc(12);
      // The name is that of the question, which begins at 12.
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(types[type], 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(ttl, 6);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
}
