/**
 * Captures what real servers answer anew, into `captured-flights/*.hex`. A program, not a test:
 *
 *     npx tsc -p tsconfig.json --noEmit false --outDir /tmp/switchyard-capture
 *     node /tmp/switchyard-capture/test/corpus/capture-flights.js test/corpus/captured-flights [NAME...]
 *
 * It needs openssl, nginx, gnutls-serv (Debian: gnutls-bin), node and java (a JDK). The client is `openssl s_client`: what
 * it says of the session stands above the hex, and the test holds the reader to it. What a server was told to do stands
 * in `captured-flights.ts`: after a new capture, run the corpus test.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hexLines, makeCertificate, Recorder, shell } from "./capture-rig.ts";
import { type FlightServer, type ServerName, startServer } from "./capture-servers.ts";

interface Capture {
  readonly file: string;
  /** The last command's server is the one whose flight is kept. */
  readonly servers: readonly ServerName[];
  /** Options of `s_client`, one connection each, in turn, to the servers in their order (the last one for the rest). */
  readonly clients: readonly string[];
}

const save = "-sess_out s";
const resume = "-sess_in s";
const old = "-cipher ALL:@SECLEVEL=0";
/** A key share for X25519, which a server of P-384 refuses. */
const refused = "-groups X25519:P-384";

/** What each stack is asked for, in both versions. */
function sessions(stack: string, server: ServerName): readonly Capture[] {
  return [
    { file: `${stack}-tls1.3`, servers: [server], clients: ["-tls1_3"] },
    { file: `${stack}-tls1.3-resumed`, servers: [server], clients: [`-tls1_3 ${save}`, `-tls1_3 ${resume}`] },
    { file: `${stack}-tls1.2-ticket`, servers: [server], clients: ["-tls1_2"] },
    { file: `${stack}-tls1.2-ticket-resumed`, servers: [server], clients: [`-tls1_2 ${save}`, `-tls1_2 ${resume}`] },
    { file: `${stack}-tls1.2-session-id`, servers: [server], clients: ["-tls1_2 -no_ticket"] },
    {
      file: stack === "node" ? "node-tls1.2-session-id-refused" : `${stack}-tls1.2-session-id-resumed`,
      servers: [server],
      clients: [`-tls1_2 -no_ticket ${save}`, `-tls1_2 -no_ticket ${resume}`],
    },
  ];
}

const captures: readonly Capture[] = [
  ...sessions("openssl", "openssl"),
  { file: "openssl-tls1.3-retry", servers: ["openssl-p384"], clients: [`-tls1_3 ${refused}`] },
  {
    file: "openssl-tls1.3-retry-resumed",
    servers: ["openssl-p384"],
    clients: [`-tls1_3 ${refused} ${save}`, `-tls1_3 ${refused} ${resume}`],
  },
  { file: "openssl-tls1.2-nothing", servers: ["openssl-no-sessions"], clients: ["-tls1_2"] },
  { file: "openssl-tls1.1", servers: ["openssl"], clients: [`-tls1_1 ${old}`] },
  { file: "openssl-tls1.0-resumed", servers: ["openssl"], clients: [`-tls1 ${old} ${save}`, `-tls1 ${old} ${resume}`] },
  {
    file: "openssl-alert",
    servers: ["openssl"],
    clients: ["-tls1_2 -cipher AES128-SHA -groups P-521 -sigalgs RSA+SHA1"],
  },
  ...sessions("nginx", "nginx"),
  {
    file: "nginx-tls1.2-ticket-renewed",
    servers: ["nginx-key-b", "nginx-keys-a-b"],
    clients: [`-tls1_2 ${save}`, `-tls1_2 ${resume}`],
  },
  ...sessions("gnutls", "gnutls"),
  ...sessions("node", "node"),
  ...sessions("java", "java"),
];

async function main(directory: string, names: readonly string[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "switchyard-capture-"));
  mkdirSync(directory, { recursive: true });
  makeCertificate(scratch);
  const servers = new Map<ServerName, { server: FlightServer; port: number }>();
  const recorder = new Recorder();
  try {
    for (const capture of captures.filter(({ file }) => names.length === 0 || names.includes(file))) {
      for (const name of capture.servers) {
        if (servers.has(name)) continue;
        const server = await startServer(name, scratch);
        servers.set(name, { server, port: await recorder.listen(server.port) });
      }
      const used = capture.servers.map((name) => servers.get(name) as { server: FlightServer; port: number });
      const cwd = mkdtempSync(join(scratch, "run-"));
      recorder.flights.length = 0;
      let said = "";
      for (const [index, options] of capture.clients.entries()) {
        const { port } = used[Math.min(index, used.length - 1)] as { port: number };
        const request = "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.5)";
        const target = `-connect 127.0.0.1:${port} -servername www.example.test`;
        said = await shell(`${request} | timeout 5 openssl s_client ${target} -ign_eof ${options}`, cwd);
      }
      const flight = recorder.flights.at(-1)?.server ?? Buffer.alloc(0);
      if (flight.length === 0) throw new Error(`${capture.file}: no answer`);
      const text = hexLines(comments(used.at(-1)?.server as FlightServer, capture, said), readable(flight));
      writeFileSync(join(directory, `${capture.file}.hex`), text);
      console.log(`${capture.file}: ${flight.length} bytes, ${recorder.flights.length} connections`);
    }
  } finally {
    recorder.close();
    for (const { server } of servers.values()) await server.stop();
    rmSync(scratch, { recursive: true });
  }
}

/** Which server, asked how, and what the client says of the last session. */
function comments(server: FlightServer, { clients }: Capture, said: string): string[] {
  const client = execFileSync("openssl", ["version"], { encoding: "utf8" }).trim();
  const ticketLines = /TLS session ticket:\n((?: {4}[0-9a-f]{4} - .*\n)+)/.exec(said)?.[1] ?? "";
  const ticket = [...ticketLines.matchAll(/- ((?:[0-9a-f]{2}[ -]){16})/g)].map(([, row]) => row).join("");
  return [
    `${server.version}, ${new Date().toISOString().slice(0, 10)}`,
    server.command,
    ...clients.map((options) => `${client}: s_client ${options}`),
    `session: ${/^(New|Reused), (\S+),/m.exec(said)?.[1] ?? "none"}`,
    `session id: ${/Session-ID: ([0-9A-F]*)/.exec(said)?.[1]?.toLowerCase() ?? ""}`,
    `ticket begins: ${ticket.replaceAll(/[^0-9a-f]/g, "").slice(0, 64)}`,
  ];
}

/** The records before the first one of application data. */
function readable(flight: Buffer): Buffer {
  let end = 0;
  while (end + 5 <= flight.length && flight[end] !== 23) end += 5 + flight.readUInt16BE(end + 3);
  return flight.subarray(0, end);
}

const [directory, ...names] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: capture-flights.js DIRECTORY [NAME...]");
await main(directory, names);
