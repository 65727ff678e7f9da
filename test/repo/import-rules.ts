/**
 * Who may import whom. Paths are from the root; `**` stands for any depth, `*` for any name; packages are `npm:name`, parts
 * of Node `node:name`. A rule holds for the files of `from` without those of `except`, and either forbids (`never`) or
 * allows nothing else (`only`).
 */
export type ImportRule = {
  readonly law: string;
  readonly from: readonly string[];
  readonly except?: readonly string[];
} & ({ readonly never: readonly string[] } | { readonly only: readonly string[] });

const tests = ["**/*.test.ts", "test/**"];

/** Same input, same output: no Node, no clock, no randomness, no process, nothing asynchronous. */
export const pureFolders = [
  "model/**",
  "controlplane/decide/**",
  "controlplane/rollout/plan/**",
  "dataplane/table/**",
  "dataplane/hello/**",
  "dataplane/choose/**",
  "dataplane/affinity/**",
] as const;

const model = ["model/**", "npm:@noble/hashes/**"];
const wire = ["proto/gen/**", "npm:@bufbuild/protobuf/**"];

export const importRules: readonly ImportRule[] = [
  {
    law: "The control plane does not know the data plane.",
    from: ["controlplane/**"],
    never: ["dataplane/**"],
  },
  {
    law: "The data plane does not know the control plane.",
    from: ["dataplane/**"],
    never: ["controlplane/**"],
  },
  {
    law: "The model is made of itself and a hash function.",
    from: ["model/**"],
    except: ["model/wire/**", ...tests],
    only: model,
  },
  {
    law: "model/wire adds the generated messages to the model, and nothing else.",
    from: ["model/wire/**"],
    except: tests,
    only: [...model, ...wire],
  },
  {
    law: "Deciders import the model.",
    from: ["controlplane/decide/**"],
    except: tests,
    only: [...model, "controlplane/decide/**"],
  },
  {
    law: "The plan of a rollout imports the model, what is decided and what is seen of nodes.",
    from: ["controlplane/rollout/plan/**"],
    except: tests,
    only: [
      ...model,
      "controlplane/decide/**",
      "controlplane/rollout/plan/**",
      "controlplane/rollout/node-observation.ts",
      "controlplane/state/plan-line.ts",
    ],
  },
  {
    law: "Waves are judged by the model and what is seen of nodes.",
    from: ["controlplane/rollout/judge/**"],
    except: tests,
    only: [...model, "controlplane/rollout/judge/**", "controlplane/rollout/node-observation.ts"],
  },
  {
    law: "The node's pure folders import the model and each other.",
    from: ["dataplane/table/**", "dataplane/hello/**", "dataplane/choose/**", "dataplane/affinity/**"],
    except: tests,
    only: [...model, "dataplane/table/**", "dataplane/hello/**", "dataplane/choose/**", "dataplane/affinity/**"],
  },
  {
    law: "Generated types stop where the wire ends.",
    from: ["**"],
    except: [
      "proto/gen/**",
      "model/wire/**",
      "controlplane/admin/**",
      "controlplane/fleet/**",
      "controlplane/nats/**",
      "dataplane/feed/**",
      "dataplane/telemetry/**",
      "cli/**",
      ...tests,
    ],
    never: ["proto/gen/**"],
  },
  {
    law: "Only the log knows SQLite.",
    from: ["**"],
    except: ["controlplane/log/**", ...tests],
    never: ["npm:better-sqlite3/**"],
  },
  {
    law: "NATS has one adapter folder in each plane.",
    from: ["**"],
    except: ["controlplane/nats/**", "dataplane/nats/**", "bench/**", ...tests],
    never: ["npm:nats/**", "npm:@nats-io/**"],
  },
  {
    law: "The command line is the top: nobody imports it.",
    from: ["**"],
    except: ["cli/**", ...tests],
    never: ["cli/**"],
  },
  {
    law: "Benches are ends: nobody imports them.",
    from: ["**"],
    except: ["bench/**", ...tests],
    never: ["bench/**"],
  },
  {
    law: "Sources do not import tests, nor what only tests need.",
    from: ["**"],
    except: [...tests, "vitest.config.ts", "bench/**"],
    never: [...tests, "npm:vitest/**", "npm:fast-check/**"],
  },
];

/** Whether a path or a package is one of those that the patterns mean. `a/**` means `a` itself too. */
export function matches(target: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => expressionOf(pattern).test(target));
}

const expressions = new Map<string, RegExp>();

function expressionOf(pattern: string): RegExp {
  const known = expressions.get(pattern);
  if (known !== undefined) return known;
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/^\*\*\/|\/\*\*$|\*\*|\*/g, (wildcard) => {
      if (wildcard === "**/") return "(?:.*/)?";
      if (wildcard === "/**") return "(?:/.*)?";
      return wildcard === "**" ? ".*" : "[^/]*";
    });
  const expression = new RegExp(`^${source}$`);
  expressions.set(pattern, expression);
  return expression;
}
