import { readFile, readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { CliFailure } from "../cli-failure.ts";
import { exitCode } from "../exit-code.ts";
import { ManifestSource } from "./manifest-source.ts";

/** The largest file that is read, in bytes: some two million routes as JSON. */
export const manifestBytesMax = 256 * 1024 * 1024;

const extensions = new Set([".yaml", ".yml", ".json"]);

/**
 * Reads what `-f` names: files, `-` for standard input, and directories, which stand for their own `.yaml`, `.yml` and
 * `.json` files in order of name (hidden ones and those of subdirectories left out).
 */
export async function readSources(names: readonly string[], stdin: Readable): Promise<ManifestSource[]> {
  const sources: ManifestSource[] = [];
  const faults: string[] = [];
  const collect = async (name: string, read: () => Promise<Uint8Array>): Promise<void> => {
    try {
      sources.push(new ManifestSource(name, decode(await read())));
    } catch (error) {
      faults.push(`${name}: ${reasonOf(error)}`);
    }
  };
  if (names.filter((name) => name === "-").length > 1)
    throw new CliFailure(exitCode.usage, "standard input (-) can be read only once");
  for (const name of names) {
    if (name === "-") {
      await collect("<stdin>", () => readAll(stdin));
      continue;
    }
    for (const file of await expand(name, faults)) await collect(file, () => readBounded(file));
  }
  if (faults.length > 0) throw new CliFailure(exitCode.usage, "nothing was sent", faults);
  return sources;
}

async function expand(name: string, faults: string[]): Promise<readonly string[]> {
  try {
    if (!(await stat(name)).isDirectory()) return [name];
    const entries = await readdir(name, { withFileTypes: true });
    const files = entries
      .filter(
        (entry) => !entry.isDirectory() && !entry.name.startsWith(".") && extensions.has(path.extname(entry.name)),
      )
      .map((entry) => path.join(name, entry.name));
    if (files.length === 0) faults.push(`${name}: no .yaml, .yml or .json file in this directory`);
    return files.sort();
  } catch (error) {
    faults.push(`${name}: ${reasonOf(error)}`);
    return [];
  }
}

async function readBounded(file: string): Promise<Uint8Array> {
  const { size } = await stat(file);
  if (size > manifestBytesMax) throw new RangeError(tooLarge);
  return readFile(file);
}

async function readAll(stream: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    size += bytes.length;
    if (size > manifestBytesMax) throw new RangeError(tooLarge);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const tooLarge = `larger than ${manifestBytesMax / 1024 / 1024} MiB (manifestBytesMax)`;

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new TypeError("not UTF-8 text", { cause: error });
  }
}

const fileFaults: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ("code" in error ? fileFaults[String(error.code)] : undefined) ?? error.message;
}
