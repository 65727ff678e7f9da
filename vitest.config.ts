import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * One seed for a whole run: it orders the tests, and random tests may read it (`SWITCHYARD_TEST_SEED`). It is printed,
 * so that a run that failed can be had again: `SWITCHYARD_TEST_SEED=123 npm test`.
 */
const seed = Number(process.env["SWITCHYARD_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed)) throw new Error("SWITCHYARD_TEST_SEED is not a whole number");
if (process.env["SWITCHYARD_TEST_SEED"] === undefined) console.log(`seed: SWITCHYARD_TEST_SEED=${seed}`);
process.env["SWITCHYARD_TEST_SEED"] = String(seed);

const notTests = ["**/node_modules/**", "**/dist/**", "proto/gen/**"];

export default defineConfig({
  test: {
    pool: "forks",
    // Most tests wait for processes and sockets: one file more at once than there are cores.
    maxWorkers: availableParallelism() + 1,
    sequence: { seed, shuffle: { files: false, tests: true } },
    // For what hangs. A machine that others keep busy makes a test of a second one of ten.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    allowOnly: false,
    passWithNoTests: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...notTests, "test/**"],
          // They touch nothing outside themselves: a process for each file would cost more than they do.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: notTests,
        },
      },
    ],
  },
});
