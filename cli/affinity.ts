import { Option } from "commander";
import type { Command } from "commander";
import { FarmStatus } from "../proto/gen/switchyard/fleet/v1/fleet_service.ts";
import { listFarmStatuses } from "./client/fleet-calls.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { note, print } from "./context.ts";
import { affinityTable, findingsText, hasAdvice } from "./output/affinity-text.ts";
import { messageJson } from "./output/message-json.ts";
import { safeDocument } from "./output/safe-text.ts";
import { examples } from "./run-cli.ts";
import { parseTarget } from "./target-argument.ts";

interface AffinityOptions {
  readonly output: "table" | "json";
}

export function registerAffinity(program: Command, context: CliContext): void {
  const command = program
    .command("affinity")
    .description("Show whether returning clients find their TLS sessions, what the nodes found, and what would help.")
    .argument("[farm]", "farms/web, or web; all farms where it is left out")
    .addOption(new Option("-o, --output <form>", "form of the output").choices(["table", "json"]).default("table"))
    .addHelpText(
      "after",
      examples(
        ["switchyard affinity", "all farms: sessions offered, accepted, refused; advice"],
        ["switchyard affinity web -o json", "one farm, for a script"],
      ),
    )
    .action(async (word: string | undefined, options: AffinityOptions) => {
      const [farm = ""] = word === undefined ? [] : parseTarget(["farm", word], undefined).names;
      const farms = await withClient(command, context, (client) => listFarmStatuses(client, farm));
      if (options.output === "json") {
        const json = farms.map((each) => messageJson("switchyard.fleet.v1.FarmStatus", FarmStatus, each));
        return print(context, `${safeDocument(JSON.stringify({ farms: json }, undefined, 2))}\n`);
      }
      if (farms.length === 0) return note(context, "no farms");
      await print(context, affinityTable(farms));
      // Of all farms, those that something would help; of one that was asked for, everything.
      const texts = (farm === "" ? farms.filter(hasAdvice) : farms).map(findingsText).filter((text) => text !== "");
      for (const text of texts) await print(context, `\n${text}`);
    });
}
