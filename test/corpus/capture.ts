/**
 * Captures the hellos of real clients anew, into `captured/*.hex`. A program, not a test:
 *
 *     npx tsc -p tsconfig.json --noEmit false --outDir /tmp/switchyard-capture
 *     node /tmp/switchyard-capture/test/corpus/capture.js test/corpus/captured [NAME...]
 *
 * It needs openssl, gnutls-cli (Debian: gnutls-bin), curl, python3, java (a JDK) and chromium. Every client runs against
 * an `openssl s_server` on the loopback, behind a recorder that keeps what the client sends before the server answers.
 * What a file holds is stated in `corpus.ts`: after a new capture, run the corpus test.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hexLines, makeCertificate, Recorder, shell } from "./capture-rig.ts";

interface Capture {
  readonly file: string;
  /** Prints the tool's version. */
  readonly version: readonly string[];
  /** The server takes 0-RTT data. */
  readonly earlyData?: true;
  /** Shell commands, run in turn in an empty directory; what the last connection of the last one sends is kept. */
  readonly commands: (port: number) => readonly string[];
}

const request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' |";

function openssl(port: number, options: string): string {
  return `${request} timeout 5 openssl s_client -connect 127.0.0.1:${port} -ign_eof ${options}`;
}

function opensslCapture(file: string, ...options: readonly string[]): Capture {
  const commands = (port: number): string[] => options.map((text) => openssl(port, text));
  return { file: `openssl-${file}`, version: ["openssl", "version"], commands };
}

function gnutls(file: string, options: string): Capture {
  const commands = (port: number): string[] => [
    `${request} timeout 5 gnutls-cli --insecure --port ${port} ${options} 127.0.0.1`,
  ];
  return { file: `gnutls-${file}`, version: ["gnutls-cli", "--version"], commands };
}

function curl(file: string, options: string): Capture {
  const commands = (port: number): string[] => [
    `curl -sk --max-time 5 --noproxy '*' --resolve curl.example.test:${port}:127.0.0.1 ${options} https://curl.example.test:${port}/`,
  ];
  return { file: `curl-${file}`, version: ["curl", "--version"], commands };
}

function node(file: string, program: (port: number) => string): Capture {
  const commands = (port: number): string[] => [`timeout 5 node -e '${program(port)}'`];
  return { file: `node-${file}`, version: ["node", "--version"], commands };
}

function nodeConnect(port: number, options: string): string {
  return `require("tls").connect({port: ${port}, host: "127.0.0.1", rejectUnauthorized: false, ${options}})`;
}

const old = "-cipher ALL:@SECLEVEL=0";

const captures: readonly Capture[] = [
  opensslCapture("tls1.0", `-tls1 ${old} -servername old.example.test`),
  opensslCapture("tls1.1", `-tls1_1 ${old} -servername old.example.test`),
  opensslCapture("tls1.2", "-tls1_2 -servername www.example.test -alpn h2,http/1.1"),
  opensslCapture(
    "tls1.2-ticket",
    "-tls1_2 -servername t.example.test -sess_out s",
    "-tls1_2 -servername t.example.test -sess_in s",
  ),
  opensslCapture(
    "tls1.2-session-id",
    "-tls1_2 -no_ticket -servername i.example.test -sess_out s",
    "-tls1_2 -no_ticket -servername i.example.test -sess_in s",
  ),
  opensslCapture("tls1.3", "-tls1_3 -servername WWW.Example.TEST. -alpn imap"),
  opensslCapture(
    "tls1.3-psk",
    "-tls1_3 -servername p.example.test -sess_out s",
    "-tls1_3 -servername p.example.test -sess_in s",
  ),
  {
    file: "openssl-tls1.3-early-data",
    version: ["openssl", "version"],
    earlyData: true,
    commands: (port) =>
      ["-sess_out s", "-sess_in s -early_data ../early"].map(
        (session) =>
          `(sleep 1; echo Q) | openssl s_client -connect 127.0.0.1:${port} -tls1_3 -servername e.example.test ${session}`,
      ),
  },
  opensslCapture("tls1.0-1.3-no-name", `-noservername ${old}`),
  gnutls("tls1.0", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.0:%COMPAT --sni-hostname g.example.test"),
  gnutls("tls1.2", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2 --sni-hostname g.example.test --alpn imap"),
  gnutls("tls1.3", "--sni-hostname g.example.test --alpn h2 --alpn http/1.1"),
  gnutls("tls1.3-resumed", "--resume --waitresumption --sni-hostname g.example.test"),
  gnutls("no-name", "--disable-sni"),
  curl("h2", "--http2"),
  curl("tls1.2-http1.1", "--http1.1 --tls-max 1.2"),
  node("tls1.3", (port) => nodeConnect(port, `servername: "node.example.test", ALPNProtocols: ["h2", "acme-tls/1"]`)),
  node(
    "tls1.3-psk",
    (port) =>
      `const c = ${nodeConnect(port, `servername: "node.example.test"`)}; c.write("GET / HTTP/1.0\\r\\n\\r\\n"); ` +
      `c.resume(); c.once("session", (session) => ${nodeConnect(port, `session, servername: "node.example.test"`)})`,
  ),
  {
    file: "python-tls1.3",
    version: ["python3", "--version"],
    commands: (port) => [
      `python3 -c 'import socket, ssl; c = ssl._create_unverified_context(); c.set_alpn_protocols(["http/1.1"]); ` +
        `c.wrap_socket(socket.create_connection(("127.0.0.1", ${port})), server_hostname="py_thon.example.test")'`,
    ],
  },
  {
    file: "java-tls1.3",
    version: ["java", "--version"],
    commands: (port) => [
      `printf '%s' 'import javax.net.ssl.*; public class C { public static void main(String[] a) throws Exception { ` +
        `SSLSocket s = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(new java.net.Socket("127.0.0.1", ${port}), "java.example.test", ${port}, true); ` +
        `s.startHandshake(); } }' > C.java && timeout 60 java C.java`,
    ],
  },
  {
    file: "chromium",
    version: ["chromium", "--version"],
    commands: (port) => [
      `timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir=profile --ignore-certificate-errors ` +
        `--host-resolver-rules='MAP * 127.0.0.1' --dump-dom https://chrome.example.test:${port}/`,
    ],
  },
];

async function main(directory: string, names: readonly string[]): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "switchyard-capture-"));
  makeCertificate(scratch);
  writeFileSync(join(scratch, "early"), "GET /early HTTP/1.0\r\n\r\n");
  const page = await startServer(scratch, "-www");
  const early = await startServer(scratch, "-early_data");
  const recorder = new Recorder();
  const pagePort = await recorder.listen(page.port);
  const earlyPort = await recorder.listen(early.port);
  try {
    for (const capture of captures.filter(({ file }) => names.length === 0 || names.includes(file))) {
      const cwd = mkdtempSync(join(scratch, "run-"));
      recorder.flights.length = 0;
      for (const command of capture.commands(capture.earlyData === true ? earlyPort : pagePort))
        await shell(command, cwd);
      const flight = recorder.flights.findLast(({ client }) => client.length > 0)?.client;
      if (flight === undefined) throw new Error(`${capture.file}: no connection; is ${capture.version[0]} installed?`);
      writeFileSync(join(directory, `${capture.file}.hex`), hexFile(capture, flight));
      console.log(`${capture.file}: ${flight.length} bytes, ${recorder.flights.length} connections`);
    }
  } finally {
    recorder.close();
    page.server.kill();
    early.server.kill();
    rmSync(scratch, { recursive: true });
  }
}

function hexFile(capture: Capture, flight: Buffer): string {
  const [program, ...options] = capture.version as [string, ...string[]];
  const version = execFileSync(program, options, { encoding: "utf8" }).split("\n")[0];
  const commands = capture.commands(0);
  return hexLines([`${version}, ${new Date().toISOString().slice(0, 10)}`, ...commands], flight);
}

/** @param mode `-www` answers a request with a page; `-early_data`, which excludes it, takes 0-RTT data */
async function startServer(cwd: string, mode: "-www" | "-early_data"): Promise<{ server: ChildProcess; port: number }> {
  const options = ["-accept", "127.0.0.1:0", "-key", "key", "-cert", "cert", "-cipher", "ALL:@SECLEVEL=0", mode];
  const server = spawn("openssl", ["s_server", ...options, "-alpn", "http/1.1,imap"], {
    cwd,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  const port = await new Promise<number>((resolve, reject) => {
    server.once("exit", () => reject(new Error(`openssl s_server did not start: ${text}`)));
    server.stdout.on("data", (chunk: Buffer) => {
      text += String(chunk);
      const found = /ACCEPT [^\n]*:(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return { server, port };
}

const [directory, ...names] = process.argv.slice(2);
if (directory === undefined) throw new Error("usage: capture.js DIRECTORY [NAME...]");
await main(directory, names);
