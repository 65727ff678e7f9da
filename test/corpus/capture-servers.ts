import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePort } from "../support/free-port.ts";

/** Real TLS servers on the loopback, for the capture of what they answer. */

export type ServerName =
  | "openssl"
  | "openssl-p384"
  | "openssl-no-sessions"
  | "nginx"
  | "nginx-key-b"
  | "nginx-keys-a-b"
  | "gnutls"
  | "node"
  | "java";

export interface FlightServer {
  readonly port: number;
  /** The tool's own words. */
  readonly version: string;
  /** How it was started, for the file's head. */
  readonly command: string;
  stop(): Promise<void>;
}

interface Recipe {
  readonly version: readonly string[];
  /** Run in the directory of `key` and `cert`. */
  readonly command: (port: number, directory: string) => readonly string[];
}

function openssl(options = ""): Recipe {
  return {
    version: ["openssl", "version"],
    command: (port) =>
      `openssl s_server -accept 127.0.0.1:${port} -key key -cert cert -cipher ALL:@SECLEVEL=0 -www ${options}`
        .trim()
        .split(" "),
  };
}

/** @param keys files of ticket keys, the first one makes new tickets */
function nginx(keys: readonly string[]): Recipe {
  return {
    version: ["nginx", "-v"],
    command: (port, directory) => {
      const prefix = mkdtempSync(join(directory, "nginx-"));
      const ticketKeys = keys.map((key) => `ssl_session_ticket_key ${join(directory, key)};`).join(" ");
      writeFileSync(
        join(prefix, "conf"),
        `daemon off; pid ${prefix}/pid; error_log stderr; worker_processes 1; events {}
        http { access_log off; client_body_temp_path ${prefix}; proxy_temp_path ${prefix}; fastcgi_temp_path ${prefix};
          uwsgi_temp_path ${prefix}; scgi_temp_path ${prefix}; ssl_session_cache shared:s:1m; ${ticketKeys}
          server { listen 127.0.0.1:${port} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate ${directory}/cert;
            ssl_certificate_key ${directory}/key; return 200 ok; } }`,
      );
      return ["nginx", "-p", prefix, "-c", join(prefix, "conf")];
    },
  };
}

const nodeServer = (port: number): string =>
  `const fs = require("fs"); require("https").createServer({ key: fs.readFileSync("key"), cert: fs.readFileSync("cert") }, ` +
  `(q, r) => r.end("ok")).listen(${port}, "127.0.0.1")`;

const javaServer = `
import com.sun.net.httpserver.*; import java.io.*; import java.net.*; import java.security.*; import javax.net.ssl.*;
public class S { public static void main(String[] a) throws Exception {
  KeyStore store = KeyStore.getInstance("PKCS12");
  store.load(new FileInputStream("store"), "secret".toCharArray());
  KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509"); keys.init(store, "secret".toCharArray());
  SSLContext context = SSLContext.getInstance("TLS"); context.init(keys.getKeyManagers(), null, null);
  HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(a[0])), 0);
  server.setHttpsConfigurator(new HttpsConfigurator(context));
  server.createContext("/", e -> { e.sendResponseHeaders(200, -1); e.close(); });
  server.start(); } }`;

const recipes: Record<ServerName, Recipe> = {
  openssl: openssl(),
  "openssl-p384": openssl("-groups P-384"),
  "openssl-no-sessions": openssl("-no_ticket -no_cache"),
  nginx: nginx([]),
  "nginx-key-b": nginx(["ticket-b"]),
  "nginx-keys-a-b": nginx(["ticket-a", "ticket-b"]),
  gnutls: {
    version: ["gnutls-serv", "--version"],
    command: (port) => `gnutls-serv --http --quiet --port ${port} --x509keyfile key --x509certfile cert`.split(" "),
  },
  node: { version: ["node", "--version"], command: (port) => ["node", "-e", nodeServer(port)] },
  java: {
    version: ["java", "--version"],
    command: (port, directory) => {
      const options = ["-inkey", "key", "-in", "cert", "-out", "store", "-passout", "pass:secret"];
      execFileSync("openssl", ["pkcs12", "-export", ...options], { cwd: directory });
      writeFileSync(join(directory, "S.java"), javaServer);
      return ["java", "S.java", String(port)];
    },
  },
};

/** Starts it and waits until it accepts. `directory` holds `key` and `cert`. */
export async function startServer(name: ServerName, directory: string): Promise<FlightServer> {
  const recipe = recipes[name];
  for (const file of ["ticket-a", "ticket-b"].map((key) => join(directory, key)))
    if (!existsSync(file)) writeFileSync(file, randomBytes(80));
  const port = await freePort();
  const [program, ...args] = recipe.command(port, directory) as [string, ...string[]];
  const server = spawn(program, args, { cwd: directory, stdio: "ignore" });
  const exited = once(server, "exit");
  while (!(await accepts(port))) {
    if (server.exitCode !== null) throw new Error(`${program} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async (): Promise<void> => {
    server.kill();
    await exited;
  };
  const command = [program, ...args].join(" ").replaceAll(directory, ".").replaceAll(String(port), "0");
  return { port, version: versionOf(recipe), command: command.replaceAll(/\s+/g, " "), stop };
}

/** nginx tells its version on standard error. */
function versionOf(recipe: Recipe): string {
  const text = execFileSync("/bin/sh", ["-c", `${recipe.version.join(" ")} 2>&1`], { encoding: "utf8" });
  return text.split("\n")[0] as string;
}
