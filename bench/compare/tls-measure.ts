import { fileURLToPath } from "node:url";
import type { Figures } from "./measure.ts";
import { PinnedProcess } from "./pinned-process.ts";
import { benchNames, LiveTarget, type RoundOutcome, type RoundsPlan } from "./rounds.ts";
import { median, quantile, rotated } from "./statistics.ts";
import type { HandshakesCommand } from "./tls-ends.ts";

const programPath = fileURLToPath(new URL("./tls-ends.js", import.meta.url));

const startWithinMs = 10_000;
const handshakesWithinMs = 60_000;
const warmUpHandshakes = 20;

/**
 * Full TLS handshakes through each target, one at a time, with real clients and servers: what a user waits for. Nothing
 * competes here, so it is latency alone; `direct` is what client and server take by themselves.
 */
export async function takeTlsRounds(plan: RoundsPlan): Promise<Map<string, RoundOutcome[]>> {
  const ends = new PinnedProcess({ command: process.execPath, args: [programPath], cores: plan.cores.load });
  const outcomes = new Map<string, RoundOutcome[]>(plan.targets.map((target) => [target.name, []]));
  const live = new Map<string, LiveTarget>();
  try {
    const ports = (await ends.nextLine(startWithinMs))["ports"] as number[];
    for (let round = 0; round < plan.sizes.rounds; round += 1) {
      for (const target of rotated(plan.targets, round)) {
        let outcome: RoundOutcome;
        try {
          const started = live.get(target.name) ?? (await LiveTarget.start(target, plan, { ports }));
          if (!live.has(target.name)) await shake(ends, started, warmUpHandshakes);
          live.set(target.name, started);
          outcome = { round, figures: await shake(ends, started, plan.sizes.handshakes) };
        } catch (error) {
          outcome = { round, failure: error instanceof Error ? error.message : String(error) };
          plan.report(`tls ${target.name} round ${round + 1}: ${outcome.failure}`);
        }
        outcomes.get(target.name)?.push(outcome);
      }
    }
  } finally {
    for (const target of live.values()) await target.stop();
    await ends.stop();
  }
  plan.report(`tls: ${plan.sizes.rounds} rounds`);
  return outcomes;
}

async function shake(ends: PinnedProcess, target: LiveTarget, handshakes: number): Promise<Figures> {
  const command: HandshakesCommand = {
    port: target.running.ports[0] as number,
    name: benchNames[0] as string,
    handshakes,
  };
  ends.send(JSON.stringify(command));
  const line = await ends.nextLine(handshakesWithinMs);
  if (line["event"] !== "shaken") throw new Error(`a handshake went wrong: ${String(line["failure"])}`);
  const microseconds = line["microseconds"] as number[];
  return { handshakeP50Us: median(microseconds), handshakeP99Us: quantile(microseconds, 0.99) };
}
