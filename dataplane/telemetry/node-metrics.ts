import { Counter, Gauge, type Registry } from "prom-client";
import type { DataPlaneNode } from "../data-plane-node.ts";

/**
 * The node's numbers, read when they are asked for; nothing here is on a connection's path. Reasons are those of
 * `model/reason.ts`, the same words as in the access log.
 */
export function registerNodeMetrics(registry: Registry, node: DataPlaneNode, monotonicMs: () => number): void {
  registerStateMetrics(registry, node);
  registerServerMetrics(registry, node, monotonicMs);
  registerAffinityMetrics(registry, node);
  registerTrafficMetrics(registry, node);
}

const failingStates = ["down", "ejected", "unresolved", "slow_start"] as const;

function registerAffinityMetrics(registry: Registry, node: DataPlaneNode): void {
  const kinds = [
    ["ticket_names", "Names of ticket keys that are known of a farm's servers.", "ticketNames"],
    ["session_ids", "TLS session ids that are known of a farm's servers.", "sessionIds"],
  ] as const;
  for (const [name, help, key] of kinds) {
    const gauge: Gauge = new Gauge({
      name: `switchyard_node_${name}`,
      help,
      labelNames: ["farm"],
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const [farm, report] of node.affinityReports()) gauge.set({ farm }, report[key]);
      },
    });
  }
}

function registerServerMetrics(registry: Registry, node: DataPlaneNode, monotonicMs: () => number): void {
  const failing: Gauge = new Gauge({
    name: "switchyard_node_servers_failing",
    help: "Servers that are not plainly up, by state.",
    labelNames: ["state"],
    registers: [registry],
    collect: () => {
      for (const state of failingStates) failing.set({ state }, 0);
      for (const { state } of node.health.states(monotonicMs())) if (state !== "up") failing.inc({ state });
    },
  });
  const expiry: Gauge = new Gauge({
    name: "switchyard_node_server_certificate_expiry_seconds",
    help: "When a server's certificate expires, in seconds since 1970, as its last check saw it.",
    labelNames: ["server"],
    registers: [registry],
    collect: () => {
      expiry.reset();
      for (const { server, certificateExpiryMs } of node.health.states(monotonicMs()))
        if (certificateExpiryMs !== null) expiry.set({ server }, certificateExpiryMs / 1000);
    },
  });
  const live: Gauge = new Gauge({
    name: "switchyard_node_server_connections",
    help: "Live connections to a server.",
    labelNames: ["server"],
    registers: [registry],
    collect: () => {
      live.reset();
      for (const [server, connections] of node.serverConnections()) live.set({ server }, connections);
    },
  });
}

function registerStateMetrics(registry: Registry, node: DataPlaneNode): void {
  const gauges: readonly (readonly [name: string, help: string, value: () => number])[] = [
    ["revision", "Revision that the rule tables are built from.", () => node.state.position.revision],
    ["log_revision", "Revision to which the log is known.", () => node.state.logPosition.revision],
    [
      "released_revision",
      "Revision that is released to the node, as far as the log is known.",
      () => node.state.releasedRevision,
    ],
    ["kept_revision", "Revision that the node would start with, from its state directory.", () => node.keptRevision],
    ["state_dir_failing", "1 while the state directory can't be used.", () => Number(node.diskFault !== undefined)],
    [
      "ready",
      "1 while the node has a configuration, all its listeners are bound, and it does not drain.",
      () => Number(node.ready),
    ],
    ["draining", "1 while the node takes no new connections, as it was told.", () => Number(node.draining)],
    ["feed_following", "1 while the node hears from the log.", () => Number(node.state.feed === "following")],
    [
      "feed_silent",
      "1 while the log's server answers, and nobody vouches that its end is the log's.",
      () => Number(node.state.feed === "silent"),
    ],
    ["feed_stalled", "1 while the log can't be followed further.", () => Number(node.state.stalled !== undefined)],
    ["connections", "Connections accepted and not yet closed.", () => node.engine.stats().connections],
    ["hellos_pending", "Connections whose hello is not complete yet.", () => node.engine.stats().hellosPending],
    ["addresses_unbound", "Listener addresses that could not be bound.", () => node.unbound.length],
    ["connections_waiting", "Connections that wait for a server with room.", () => node.waiting],
    ["table_names", "Server names and wildcards in all rule tables.", () => node.tableSize.names],
    ["table_bytes", "Bytes of the rule tables' indexes.", () => node.tableSize.bytes],
  ];
  for (const [name, help, value] of gauges) {
    const gauge: Gauge = new Gauge({
      name: `switchyard_node_${name}`,
      help,
      registers: [registry],
      collect: () => gauge.set(value()),
    });
  }
  counter(registry, "accepted_total", "Connections accepted.", [], (add) => add({}, node.engine.stats().accepted));
  counter(registry, "accept_pauses_total", "Times that accepting paused for want of descriptors.", [], (add) =>
    add({}, node.engine.stats().acceptPauses),
  );
}

function registerTrafficMetrics(registry: Registry, node: DataPlaneNode): void {
  const { listeners, servers } = node.traffic;
  counter(registry, "connections_closed_total", "Connections closed, by reason.", ["listener", "reason"], (add) => {
    for (const [listener, { closed }] of listeners)
      for (const [reason, count] of closed) add({ listener, reason }, count);
  });
  counter(
    registry,
    "bytes_total",
    "Bytes of closed connections, by the side they came from.",
    ["listener", "from"],
    (add) => {
      for (const [listener, { bytesFromClients, bytesFromServers }] of listeners) {
        add({ listener, from: "client" }, bytesFromClients);
        add({ listener, from: "server" }, bytesFromServers);
      }
    },
  );
  counter(registry, "server_connections_total", "Closed connections that had reached a server.", ["server"], (add) => {
    for (const [server, { connections }] of servers) add({ server }, connections);
  });
  counter(
    registry,
    "resumptions_total",
    "Sessions that clients offered to resume, and what servers made of them.",
    ["server", "outcome"],
    (add) => {
      for (const [server, { resumptions }] of servers)
        for (const [outcome, count] of resumptions) add({ server, outcome }, count);
    },
  );
  counter(registry, "server_connect_failures_total", "Failed attempts to connect.", ["server", "reason"], (add) => {
    for (const [server, { connectFailures }] of servers)
      for (const [reason, count] of connectFailures) add({ server, reason }, count);
  });
}

type Add = (labels: Readonly<Record<string, string>>, count: number) => void;

/** A counter that is set anew from the node's own counts at each scrape. */
function counter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  collect: (add: Add) => void,
): void {
  const metric: Counter = new Counter({
    name: `switchyard_node_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect: () => {
      metric.reset();
      collect((labels, count) => metric.inc(labels, count));
    },
  });
}
