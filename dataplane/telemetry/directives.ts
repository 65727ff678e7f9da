import { parseIpAddress } from "../../model/address.ts";
import type { Announcement } from "../../model/resource.ts";
import { parseServerName, type ServerName } from "../../model/server-name.ts";
import type {
  Directive,
  DirectiveResult,
  DumpTable,
  ExplainRequest,
  ExplainResponse,
  TableDump,
} from "../../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { type Explanation, type LogLevel, logLevels, type SessionHost } from "./node-session.ts";

const entriesDefault = 1000;
const entriesMax = 10_000;

/** What is answered: done, where nothing is said; or a sentence why not. */
type Answer = Omit<Partial<DirectiveResult>, "id">;

/** Carries out what the control plane asks of this node. Never rejects: what can't be done is refused in a sentence. */
export async function carryOut(directive: Directive, host: SessionHost): Promise<DirectiveResult> {
  let answer: Answer;
  try {
    answer = await answerTo(directive.action, host);
  } catch (error) {
    answer = { refused: `the node failed at it: ${error instanceof Error ? error.message : String(error)}` };
  }
  return { refused: "", table: undefined, explain: undefined, ...answer, id: directive.id };
}

async function answerTo(action: Directive["action"], host: SessionHost): Promise<Answer> {
  switch (action?.$case) {
    case "drain":
      await host.drain();
      return {};
    case "undrain":
      await host.undrain();
      return {};
    case "resync":
      host.resync();
      return {};
    case "setLogLevel": {
      const level = logLevels.find((each) => each === action.value.level);
      if (level === undefined) return { refused: noLevel(action.value.level) };
      host.setLogLevel(level satisfies LogLevel);
      return {};
    }
    case "dumpTable":
      return dump(action.value, host);
    case "explain":
      return explain(action.value, host);
    case undefined:
      return { refused: "this node's software does not know the directive" };
  }
}

function noLevel(level: string): string {
  return `${JSON.stringify(level.slice(0, 40))} is no log level: ${logLevels.join(", ")}`;
}

async function dump({ listener, prefix, limit }: DumpTable, host: SessionHost): Promise<Answer> {
  if (limit < 0 || limit > entriesMax) return { refused: `the limit is 1 to ${entriesMax}, not ${limit}` };
  const { position, entries, truncated } = await host.table(listener, prefix, limit === 0 ? entriesDefault : limit);
  const table: TableDump = { revision: BigInt(position.revision), entries: [...entries], truncated };
  return { table };
}

function explain(request: ExplainRequest, host: SessionHost): Answer {
  const announcement = announcementOf(request);
  if (typeof announcement === "string") return { refused: announcement };
  const explanation = host.explain(request.listener, announcement);
  return typeof explanation === "string" ? { refused: explanation } : { explain: explanationToWire(explanation) };
}

function announcementOf(request: ExplainRequest): Announcement | string {
  let serverName: ServerName | null = null;
  if (request.serverName !== "") {
    const parsed = parseServerName(request.serverName);
    if (!("name" in parsed)) return `a hello with this server name is refused: ${parsed.fault}`;
    serverName = parsed.name;
  }
  const source = request.source === "" ? null : parseIpAddress(request.source);
  if (source === undefined) return `${JSON.stringify(request.source.slice(0, 80))} is no IP address`;
  return { serverName, alpnProtocols: request.alpnProtocols, source };
}

function explanationToWire(explanation: Explanation): ExplainResponse {
  const { revision, listener, route, outcome, farm, servers, alert, steps } = explanation;
  return {
    revision: BigInt(revision),
    listener,
    route: route ?? "",
    outcome,
    farm: farm ?? "",
    servers: [...servers],
    alert: alert ?? "",
    steps: [...steps],
  };
}
