import type { CloseReason } from "../../model/reason.ts";
import type { NodeReport, Traffic } from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { NodeObservation, OutcomeCounters } from "../rollout/node-observation.ts";
import type { FleetNode } from "./fleet-node.ts";
import type { FleetView } from "./fleet-view.ts";

/** A server was sought, and none was reached. */
const unconnected: readonly CloseReason[] = [
  "connect_failed",
  "connect_timeout",
  "no_server",
  "queue_full",
  "queue_timeout",
];

/** A server was reached. What the node ended by itself says nothing of how connecting goes now. */
const connected: readonly CloseReason[] = [
  "done",
  "client_reset",
  "server_reset",
  "client_idle",
  "server_idle",
  "half_close_timeout",
];

const answers = ["server_hello", "hello_retry"] as const;
const failedAnswers = ["alert", "other", "nothing"] as const;

/** What a node reports as degraded and no revision is to blame for. */
const notOfARevision = new Set(["state_dir"]);

const nothingRefused: NodeObservation["refused"] = null;
const noneFailing: ReadonlySet<string> = new Set();
const noDigest = new Uint8Array(0);

interface Observed {
  readonly changedAt: number;
  readonly connected: boolean;
  readonly observation: NodeObservation;
}

/** Nodes of which there is no news are the same values as the last time: of 20,000 most are, each half second. */
const observed = new WeakMap<FleetNode, Observed>();

/** All nodes, each once, as waves are counted and judged by them. */
export function observeFleet(view: FleetView): NodeObservation[] {
  return Array.from(view.shown(), (node) => {
    const known = observed.get(node);
    if (known?.changedAt === node.changedAt && known.connected === node.connected) return known.observation;
    const observation = observeNode(node);
    observed.set(node, { changedAt: node.changedAt, connected: node.connected, observation });
    return observation;
  });
}

function observeNode({ identity, connected: reachable, hello, report, traffic }: FleetNode): NodeObservation {
  return {
    identity,
    reachable,
    bootId: hello.bootId,
    revision: Number(report?.revision ?? 0n),
    digest: report?.digest ?? noDigest,
    refused: report === undefined ? nothingRefused : newestRefused(report),
    failing: report === undefined ? noneFailing : failingServers(report),
    counters: countersOf(traffic.all),
  };
}

function newestRefused({ degraded }: NodeReport): NodeObservation["refused"] {
  let newest = nothingRefused;
  for (const { name, reason, detail, revision } of degraded) {
    if (notOfARevision.has(name)) continue;
    if (newest === null || Number(revision) > newest.revision)
      newest = { revision: Number(revision), detail: `${name}: ${reason}${detail === "" ? "" : ` (${detail})`}` };
  }
  return newest;
}

function failingServers({ serverHealth }: NodeReport): ReadonlySet<string> {
  const failing = serverHealth.filter((health) => health.failing);
  return failing.length === 0 ? noneFailing : new Set(failing.map(({ server }) => server));
}

function countersOf({ ended, handshakes }: Traffic): OutcomeCounters {
  const connectFailures = total(ended, unconnected);
  const handshakeFailures = total(handshakes, failedAnswers);
  return {
    connects: connectFailures + total(ended, connected),
    connectFailures,
    handshakes: handshakeFailures + total(handshakes, answers),
    handshakeFailures,
  };
}

function total(counts: Readonly<Record<string, bigint>>, words: readonly string[]): number {
  return words.reduce((sum, word) => sum + Number(counts[word] ?? 0n), 0);
}
