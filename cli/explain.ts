import { Option } from "commander";
import type { Command } from "commander";
import { ExplainResponse } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import type { ExplainRequest } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { messageJson } from "./output/message-json.ts";
import { safeDocument, safeText } from "./output/safe-text.ts";
import { renderFields, renderTable } from "./output/table.ts";
import { examples } from "./run-cli.ts";

export interface ExplainOptions {
  readonly sni?: string;
  readonly listener?: string;
  readonly alpn: readonly string[];
  readonly source?: string;
  readonly output: "text" | "json";
}

/** Adds what a hello may announce, and the form of the answer. */
export function addExplainOptions(command: Command): Command {
  const collect = (value: string, values: readonly string[]): readonly string[] => [...values, value];
  return command
    .option("--sni <name>", "the server name that the client announces; left out: a hello without a name")
    .option("--listener <name>", "the listener it comes to; needed where there are several")
    .addOption(
      new Option("--alpn <protocol>", "an ALPN protocol that it offers; again for more, the preferred first")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--source <ip>", "the client's address")
    .addOption(new Option("-o, --output <form>", "form of the output").choices(["text", "json"]).default("text"));
}

export function explainRequest(options: ExplainOptions): ExplainRequest {
  return {
    listener: listenerName(options.listener),
    serverName: options.sni ?? "",
    alpnProtocols: [...options.alpn],
    source: options.source ?? "",
  };
}

export function registerExplain(program: Command, context: CliContext): void {
  const command = program
    .command("explain")
    .description("Show where a connection would go at the present revision, and why.");
  addExplainOptions(command)
    .addHelpText(
      "after",
      examples(
        ["switchyard explain --sni shop.example.com", "which farm, which servers"],
        [
          "switchyard explain --sni a.test --alpn h2 --source 10.1.2.3 --listener edge",
          "with all that a route can match",
        ],
        ["switchyard explain", "a client that announces no name"],
      ),
    )
    .action(async (options: ExplainOptions) => {
      const request = explainRequest(options);
      const answer = await withClient(command, context, (client) =>
        client.unary<ExplainResponse>((...tail) => client.fleet.explain(request, ...tail)),
      );
      await printExplanation(context, request, answer, options.output);
    });
}

export async function printExplanation(
  context: CliContext,
  request: ExplainRequest,
  answer: ExplainResponse,
  output: ExplainOptions["output"],
): Promise<void> {
  if (output === "json") {
    const json = messageJson("switchyard.fleet.v1.ExplainResponse", ExplainResponse, answer);
    await print(context, `${safeDocument(JSON.stringify(json, undefined, 2))}\n`);
  } else await print(context, explanation(request, answer));
}

export function listenerName(option: string | undefined): string {
  return option === undefined || option.startsWith("listeners/") ? (option ?? "") : `listeners/${option}`;
}

function explanation(request: ExplainRequest, answer: ExplainResponse): string {
  const parts = [
    renderFields([
      ["hello", helloText(request)],
      ["listener", answer.listener],
      ["route", answer.route === "" ? "none: the listener's default action" : answer.route],
      ["outcome", outcomeText(answer)],
      ["revision", String(answer.revision)],
    ]),
  ];
  if (answer.servers.length > 0)
    parts.push(
      renderTable(
        ["SERVER", "ADDRESS", "ELIGIBLE", "REASON", "SHARE"],
        answer.servers.map(({ server, address, eligible, reason, share }) => [
          server,
          address,
          eligible ? "yes" : "no",
          reason,
          `${Math.round(share * 1000) / 10}%`,
        ]),
      ),
    );
  if (answer.steps.length > 0)
    parts.push(answer.steps.map((step, index) => `${index + 1}. ${safeText(step)}\n`).join(""));
  return parts.join("\n");
}

function helloText({ serverName, alpnProtocols, source }: ExplainRequest): string {
  const words = [serverName === "" ? "no server name" : serverName];
  if (alpnProtocols.length > 0) words.push(`offers ${alpnProtocols.join(", ")}`);
  if (source !== "") words.push(`from ${source}`);
  return words.join("; ");
}

function outcomeText({ outcome, farm, alert, servers }: ExplainResponse): string {
  if (outcome === "reject") return `reject with ${alert}`;
  if (outcome === "server") return `server ${servers[0]?.server ?? ""}`.trimEnd();
  return `${outcome} ${farm}`.trimEnd();
}
