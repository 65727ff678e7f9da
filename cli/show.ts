import type { Command } from "commander";
import type { Commit, Event } from "../proto/gen/switchyard/config/v1/commits.ts";
import { isReleaseFact } from "../model/wire/release-events.ts";
import type { Resource } from "../proto/gen/switchyard/config/v1/resources.ts";
import type { AdminClient } from "./client/admin-client.ts";
import { configurationAt } from "./client/configuration-at.ts";
import { getCommit, parseRevision, resolveRevision } from "./client/revision-argument.ts";
import { withClient } from "./client/with-client.ts";
import type { CliContext } from "./context.ts";
import { print } from "./context.ts";
import { hexText, nameOf, timeText } from "./output/message-json.ts";
import { releaseText } from "./output/judgement-text.ts";
import { resourceDiff } from "./output/resource-diff.ts";
import { renderFields } from "./output/table.ts";
import { examples } from "./run-cli.ts";

type Resources = ReadonlyMap<string, Resource>;

export function registerShow(program: Command, context: CliContext): void {
  const command = program
    .command("show")
    .description("Show one commit: who, when, why, and what it changed.")
    .argument("<revision>", "a revision, or head for the last")
    .addHelpText("after", examples(["switchyard show head", "the last change"]))
    .action(async (word: string) => {
      const wanted = parseRevision(word);
      const shown = await withClient(command, context, async (client) => {
        const { commit, hash } = await getCommit(client, await resolveRevision(client, wanted));
        return { commit, hash, before: await configurationBefore(client, commit) };
      });
      await print(context, `${headerText(shown.commit, shown.hash)}\n`);
      for (const event of shown.commit.events) await print(context, eventText(context, event, shown));
    });
}

/** An event carries what is so from now on; what was so before it must be asked for, where it is to be shown. */
async function configurationBefore(client: AdminClient, commit: Commit): Promise<Resources> {
  const needed = commit.events.some(({ fact }) => fact?.$case === "updated" || fact?.$case === "deleted");
  if (!needed || commit.revision <= 1n) return new Map();
  return (await configurationAt(client, commit.revision - 1n)).resources;
}

function headerText(commit: Commit, hash: Uint8Array): string {
  return renderFields([
    ["revision", String(commit.revision)],
    ["author", commit.author],
    ["time", timeText(commit.time)],
    ["reason", commit.reason],
    ["request", commit.requestId],
    ["hash", hexText(hash)],
    ["parent", hexText(commit.parentHash)],
    ["epoch", String(commit.epoch)],
  ]);
}

interface Shown {
  readonly commit: Commit;
  readonly before: Resources;
}

function eventText(context: CliContext, { fact, schemaVersion }: Event, { commit, before }: Shown): string {
  if (fact === undefined) return `? an event of schema version ${schemaVersion}, which this switchyard does not know\n`;
  if (isReleaseFact(fact)) return releaseText(context, fact, commit.revision);
  switch (fact.$case) {
    case "created":
      return resourceDiff(context, undefined, fact.value.resource);
    case "updated": {
      const after = fact.value.resource;
      return resourceDiff(context, before.get(after === undefined ? "" : nameOf(after)), after);
    }
    case "deleted": {
      const gone = before.get(fact.value.name);
      return resourceDiff(context, gone ?? { kind: undefined }, undefined);
    }
  }
}
