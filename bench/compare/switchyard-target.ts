import { joinSocketAddress, splitSocketAddress } from "../../model/address.ts";
import type { Engine, ListenerSettings } from "../../dataplane/engine/engine.ts";
import { startResources } from "./node-configuration.ts";
import { openEngine } from "./open-engine.ts";
import { connectionsMax, holdSeconds } from "./target.ts";
import { targetDecisions } from "./target-decisions.ts";

/**
 * The process that the bench measures as Switchyard: an engine with the node's decisions. Its one argument is a
 * {@link TargetArguments} as JSON. It prints `{"event":"listening"}`, ends when its stdin does, or by SIGTERM.
 */
export interface TargetArguments {
  readonly engine: "native" | "portable";
  readonly threads: number;
  readonly serverPorts: readonly number[];
  readonly names: readonly string[];
}

const listenerName = "listeners/bench";

const settings: ListenerSettings = {
  name: listenerName,
  // Port 0: the system gives one.
  addresses: [joinSocketAddress("127.0.0.1", 0)],
  helloBytesMax: 65_536,
  helloDeadlineMs: holdSeconds * 1000,
  clientIdleTimeoutMs: holdSeconds * 1000,
  connectionsMax,
  proxyNetworks: [],
};

async function run(settingsOf: TargetArguments): Promise<void> {
  const { serverPorts, names } = settingsOf;
  const onFault = (error: Error): void => void process.stderr.write(`${error.stack ?? error.message}\n`);
  const resources = startResources({ port: 1, serverPorts, names, moreRoutes: 0 });
  const decisions = targetDecisions({ resources, engine: () => engine, onFault });
  const engine: Engine = openEngine(settingsOf.engine, decisions, settingsOf.threads);
  const failures = await engine.setListener(settings);
  if (failures[0] !== undefined) throw new Error(`${failures[0].address}: ${failures[0].reason} ${failures[0].detail}`);
  const bound = engine.boundAddresses(listenerName)[0];
  if (bound === undefined) throw new Error("the listener has no address");
  say({ event: "listening", port: splitSocketAddress(bound).port });
  process.once("SIGTERM", () => void end(engine));
  process.stdin.resume().once("end", () => void end(engine));
}

async function end(engine: Engine): Promise<void> {
  await engine.close(0);
  process.exit(0);
}

function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const argument = process.argv[2];
if (argument === undefined) throw new Error("the argument is missing: the target's settings as JSON");
await run(JSON.parse(argument) as TargetArguments);
