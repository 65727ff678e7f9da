import { hostname } from "node:os";
import { Registry } from "prom-client";
import { logNames } from "../../model/log-names.ts";
import { registerNodeMetrics } from "../../dataplane/telemetry/node-metrics.ts";
import { parseNatsUrls } from "../../model/nats-servers.ts";
import { parseServerAddress } from "../client/server-address.ts";
import { CliFailure } from "../cli-failure.ts";
import { type CliContext, print } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { aborted, Lifetimes } from "./lifetimes.ts";
import { openAccessLog, processLogger } from "./loggers.ts";
import { listenOps } from "./ops-server.ts";
import { checkedAddress, type EngineOptions } from "./serve-options.ts";
import { nodeUnready, startNode, type StartNodeOptions } from "./start-node.ts";
import { waitUntil } from "./wait-until.ts";
import { engineOf } from "./wanted-engine.ts";

/** Live connections have this long to end once the process is told to. */
const connectionGraceMs = 4000;

export interface NodeOptions extends EngineOptions {
  readonly control: readonly string[];
  readonly nats?: string;
  readonly namespace: string;
  readonly stateDir?: string;
  readonly id?: string;
  readonly region: string;
  readonly label: Readonly<Record<string, string>>;
  readonly httpAddress: string;
  readonly accessLog?: string;
  readonly logLevel: string;
  readonly allowInsecureBind?: boolean;
}

export async function runNode(context: CliContext, options: NodeOptions): Promise<void> {
  const httpAddress = checkedAddress(options.httpAddress, "--http-address", options.allowInsecureBind ?? false);
  const source = logSource(options);
  const logger = processLogger(options.logLevel);
  const engine = engineOf(options);
  const lifetimes = new Lifetimes();
  try {
    const accessLog = options.accessLog === undefined ? undefined : await openAccessLog(options.accessLog);
    if (accessLog !== undefined) lifetimes.add("access log", () => accessLog.close());
    const identity = { id: options.id ?? hostname(), region: options.region, labels: options.label };
    const { stateDir } = options;
    const node = startNode({ identity, ...source, stateDir, engine, logger, accessLogger: accessLog?.logger });
    lifetimes.add("node", () => node.close(connectionGraceMs));
    const registry = new Registry();
    registerNodeMetrics(registry, node, () => performance.now());
    const ops = await listenOps(httpAddress, { registry, unready: () => nodeUnready(node) });
    lifetimes.add("health and metrics", () => ops.close());
    await waitUntil(() => node.state.loaded, context.signal);
    const { revision } = node.state.position;
    await print(context, `node ${identity.id} at revision ${revision}: http port ${ops.port}\n`);
    await aborted(context.signal);
  } finally {
    await lifetimes.close();
  }
}

/** Where the log is followed, and who is told. */
function logSource({ nats, namespace, control }: NodeOptions): Pick<StartNodeOptions, "nats" | "controls"> {
  const controls = control.map(parseServerAddress);
  if (nats !== undefined) return { nats: checkedNats(nats, namespace), controls };
  if (controls.length > 0) return { controls };
  throw new CliFailure(exitCode.usage, "a node needs --nats or --control: there is no log to follow otherwise");
}

/** What can't be right later either is told now, before anything runs. */
function checkedNats(url: string, namespace: string): { readonly url: string; readonly namespace: string } {
  try {
    parseNatsUrls(url);
    logNames(namespace);
    return { url, namespace };
  } catch (error) {
    throw new CliFailure(exitCode.usage, error instanceof Error ? error.message : String(error));
  }
}
