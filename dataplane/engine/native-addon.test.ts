import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { loadNative, type NativeAddon, type NativeHandle } from "./native-addon.ts";
import { packAddress } from "./native-address.ts";
import { closeReasons, connectFailures, wireVersion } from "./native-wire.ts";

const folder = join(import.meta.dirname, "../native");
const addonFile = join(folder, "build/Release/switchyard_engine.node");
const batch = new Uint8Array(2 ** 20);
const noBatch = (): void => undefined;

function addon(): NativeAddon {
  const loaded = loadNative();
  if ("unavailable" in loaded) throw new Error(`${loaded.unavailable}; build it: node dataplane/native/build.mjs`);
  return loaded;
}

describe("the addon", () => {
  it("knows reasons and failures by the codes that TypeScript gives them", () => {
    const source = readFileSync(join(folder, "src/reason.h"), "utf8");
    const codes = [...source.matchAll(/k(\w+) = (\d+),/g)].map(([, name, code]) => [
      snake(name as string),
      Number(code),
    ]);
    const reasons = codes.slice(
      0,
      codes.findIndex(([name]) => name === "refused"),
    );
    const failures = codes.slice(reasons.length);
    expect(reasons.length).toBe(12);
    for (const [name, code] of reasons) expect(closeReasons[code as number]).toBe(name);
    expect(failures.map(([name]) => name)).toEqual([...connectFailures]);
    expect(readFileSync(join(folder, "src/wire.h"), "utf8")).toContain(`kVersion = ${wireVersion};`);
  });

  const misuses: readonly (readonly [string, (native: NativeAddon, handle: NativeHandle) => void])[] = [
    ["no threads", (native) => native.start(0, 0, batch, noBatch)],
    ["more threads than there may be", (native) => native.start(65, 0, batch, noBatch)],
    ["a batch that is too small", (native) => native.start(1, 0, new Uint8Array(10), noBatch)],
    ["no callback", (native) => native.start(1, 0, batch, undefined as never)],
    ["an object that is no handle", (native) => native.unbind({} as NativeHandle, 1)],
    ["no handle", (native) => native.unbind(undefined as never, 1)],
    ["a listener that is out of range", (native, handle) => native.setLimits(handle, 4096, 1024, 1000, 1000, 10)],
    ["a hello limit that is out of range", (native, handle) => native.setLimits(handle, 0, 65_537, 1000, 1000, 10)],
    ["a number that is not whole", (native, handle) => native.setLimits(handle, 0, 1.5, 1000, 1000, 10)],
    ["not a number", (native, handle) => native.setLimits(handle, 0, Number.NaN, 1000, 1000, 10)],
    ["an address that is none", (native, handle) => native.bind(handle, 0, new Uint8Array(20), true)],
    ["an address that is too short", (native, handle) => native.bind(handle, 0, new Uint8Array(19), true)],
    ["verdicts that are none", (native, handle) => native.submit(handle, new Uint8Array(64).fill(255), 64)],
    ["verdicts that are cut", (native, handle) => native.submit(handle, record(80, 1), 72)],
    ["a verdict that is too short for its kind", (native, handle) => native.submit(handle, record(24, 1), 24)],
    ["a verdict whose prefix is longer than it", (native, handle) => native.submit(handle, longPrefix(), 80)],
    ["a wait that is too short for its kind", (native, handle) => native.submit(handle, record(16, 4), 16)],
    ["a source that is no address", (native, handle) => native.submit(handle, wrongSource(), 80)],
    ["a command that is no verdict", (native, handle) => native.submit(handle, record(24, 5), 24)],
    ["more verdicts than there are bytes", (native, handle) => native.submit(handle, new Uint8Array(0), 8)],
    ["an array that is too small", (native, handle) => native.stats(handle, new Float64Array(5))],
  ];
  it.each(misuses)("throws on %s, and goes on", (_what, misuse) => {
    const native = addon();
    const handle = native.start(1, 0, batch, noBatch);
    try {
      expect(() => misuse(native, handle)).toThrow(Error);
      native.stats(handle, new Float64Array(6));
    } finally {
      native.stop(handle);
    }
    expect(() => native.stop(handle)).toThrow(/stopped/);
  });

  it("ends with its environment, amid work, as often as there is one", async () => {
    addon();
    const before = openFiles();
    for (let round = 0; round < 12; round += 1) {
      const worker = new Worker(environment, { eval: true, workerData: { addonFile, address: anyAddress() } });
      const [port] = (await once(worker, "message")) as [number];
      const clients = Array.from({ length: 20 }, () => createConnection(port, "127.0.0.1"));
      for (const client of clients) {
        client.on("error", () => client.destroy());
        client.write(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0]));
      }
      // Every other one is ended at once, the rest when they have been asked.
      if (round % 2 === 0) await once(worker, "message");
      await worker.terminate();
      for (const client of clients) {
        client.destroy();
        if (!client.closed) await once(client, "close");
      }
    }
    expect(openFiles()).toBeLessThanOrEqual(before);
  });
});

/** An engine of its own, which is never stopped. */
const environment = `
  const { parentPort, workerData: { addonFile, address } } = require("node:worker_threads");
  const native = require(addonFile);
  const handle = native.start(2, 0, new Uint8Array(2 ** 20), () => parentPort.postMessage("asked"));
  native.setLimits(handle, 0, 16384, 5000, 60000, 1000);
  native.bind(handle, 0, address, false);
  parentPort.postMessage(new Uint16Array(address.buffer)[8]);
`;

function anyAddress(): Uint8Array {
  return packAddress("127.0.0.1:0" as never);
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

function record(size: number, kind: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new Uint32Array(bytes.buffer)[0] = size;
  bytes[4] = kind;
  return bytes;
}

function longPrefix(): Uint8Array {
  const bytes = record(80, 1);
  bytes[50] = 4;
  new Uint32Array(bytes.buffer)[18] = 1;
  return bytes;
}

function wrongSource(): Uint8Array {
  const bytes = record(80, 1);
  bytes[50] = 4;
  bytes[70] = 5;
  return bytes;
}

function snake(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}
