import type { Verb } from "./context.ts";

/** In the order of `--help`. The first three run until they are stopped. */
export const verbs: readonly Verb[] = [
  { name: "up", load: async () => (await import("./up.ts")).registerUp },
  { name: "controlplane", load: async () => (await import("./controlplane.ts")).registerControlPlane },
  { name: "node", load: async () => (await import("./node.ts")).registerNode },
  { name: "init", load: async () => (await import("./init.ts")).registerInit },
  { name: "apply", load: async () => (await import("./apply.ts")).registerApply },
  { name: "get", load: async () => (await import("./get.ts")).registerGet },
  { name: "delete", load: async () => (await import("./delete.ts")).registerDelete },
  { name: "history", load: async () => (await import("./history.ts")).registerHistory },
  { name: "show", load: async () => (await import("./show.ts")).registerShow },
  { name: "diff", load: async () => (await import("./diff.ts")).registerDiff },
  { name: "revert", load: async () => (await import("./revert.ts")).registerRevert },
  { name: "rollout", load: async () => (await import("./rollout.ts")).registerRollout },
  { name: "drain", load: async () => (await import("./server-state.ts")).registerDrain },
  { name: "ready", load: async () => (await import("./server-state.ts")).registerReady },
  { name: "maintenance", load: async () => (await import("./server-state.ts")).registerMaintenance },
  { name: "explain", load: async () => (await import("./explain.ts")).registerExplain },
  { name: "status", load: async () => (await import("./status.ts")).registerStatus },
  { name: "affinity", load: async () => (await import("./affinity.ts")).registerAffinity },
  { name: "nodes", load: async () => (await import("./nodes.ts")).registerNodes },
  { name: "log", load: async () => (await import("./log.ts")).registerLog },
];
