import { describe, expect, test } from "vitest";
import { acceptedIn } from "./accepted-connections.ts";
import { parsePerfStat } from "./perf-stat.ts";
import { idleNanoseconds } from "./proxy-account.ts";
import { processTree, readResidentBytes, readUsage, statusNumber, userNanoseconds } from "./process-usage.ts";
import { parseStraceSummary } from "./strace-count.ts";

describe("perf stat", () => {
  const heading = "# started on Sun Nov 22 13:00:00 2026\n\n";
  test.each([
    {
      of: "counts",
      text: `${heading}1234,,instructions:u,99,100.00,,\n567890,,instructions:k,99,100.00,,\n`,
      expected: { user: 1234, kernel: 567_890 },
    },
    {
      of: "a machine without counters",
      text: `${heading}<not supported>,,instructions:u,0,100.00,,\n<not supported>,,instructions:k,0,100.00,,\n`,
      expected: undefined,
    },
    {
      of: "a process that did nothing",
      text: `${heading}<not counted>,,instructions:u,0,0.00,,\n12,,instructions:k,99,100.00,,\n`,
      expected: undefined,
    },
    { of: "an empty file", text: "", expected: undefined },
  ])("$of", ({ text, expected }) => {
    expect(parsePerfStat(text)).toEqual(expected);
  });
});

test("strace's summary is names and counts, without its rules, heading and total", () => {
  const text = `syscall                calls
---------------- ---------
recvfrom              1990
epoll_ctl             1500
accept4                  1
---------------- ---------
total                 3491
`;
  expect([...parseStraceSummary(text)]).toEqual([
    ["recvfrom", 1990],
    ["epoll_ctl", 1500],
    ["accept4", 1],
  ]);
});

describe("connections that a proxy has accepted", () => {
  const line = (local: string, state: string, inode: number): string =>
    `   1: ${local} 0100007F:D2F0 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 00000000ae 20 4 30 10 -1`;
  test.each([
    { of: "established and accepted", text: line("0100007F:B075", "01", 642_964), count: 1 },
    { of: "still in the listener's queue", text: line("0100007F:B075", "01", 0), count: 0 },
    { of: "the listener itself", text: line("0100007F:B075", "0A", 642_964), count: 0 },
    { of: "another port", text: line("0100007F:B076", "01", 642_964), count: 0 },
    { of: "closing", text: line("0100007F:B075", "08", 642_964), count: 0 },
  ])("$of: $count", ({ text, count }) => {
    expect(acceptedIn(`  sl  local_address rem_address st\n${text}\n`, 0xb075)).toBe(count);
  });
});

describe("a core's idle time", () => {
  const text = "cpu  9 9 9 9 9 9 9 0 0 0\ncpu0 1 2 3 400 5 6 7 0 0 0\ncpu10 1 2 3 800 0 6 7 0 0 0\nintr 1 2\n";
  test.each([
    [0, 4_050_000_000],
    [10, 8_000_000_000],
  ])("is idle and waiting for disks: core %d", (core, expected) => {
    expect(idleNanoseconds(text, core)).toBe(expected);
  });

  test("of a core that is not there is refused", () => {
    expect(() => idleNanoseconds(text, 1)).toThrow("no core 1");
  });
});

describe("a process's usage", () => {
  test("is read of this very process", () => {
    const usage = readUsage(process.pid);
    expect(usage.cpuNs).toBeGreaterThan(0);
    expect(readResidentBytes(process.pid)).toBeGreaterThan(2 ** 20);
    expect(processTree(process.pid)[0]).toBe(process.pid);
  });

  test("of a process that is gone is refused, not zero", () => {
    // The largest pid there can be (proc(5), pid_max) is 2^22.
    expect(() => readUsage(2 ** 22 + 1)).toThrow("ENOENT");
  });

  test("takes user time from behind a command with spaces and brackets", () => {
    const stat = "42 (a ) (b) S 1 42 42 0 -1 4194560 100 0 0 0 7 3 0 0 20 0 1 0 100 1000 10";
    expect(userNanoseconds(stat)).toBe(70_000_000);
  });

  test("refuses a status file without the number", () => {
    expect(() => statusNumber("Name:\tnode\n", "Rss")).toThrow("no Rss");
  });
});
