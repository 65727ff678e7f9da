import { type FileHandle, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SealedCommit } from "../../model/commit.ts";
import { encodeTailRecord, tailName, tailStart } from "./commit-tail.ts";
import { syncDirectory } from "./snapshot-file.ts";

/** The file that commits are appended to. */
export class TailFile {
  readonly name: string;
  readonly #file: FileHandle;

  private constructor(name: string, file: FileHandle) {
    this.name = name;
    this.#file = file;
  }

  /** An empty file, for the commits that follow on a revision. One of that name holds nothing sound, or it would have been loaded. */
  static async create(directory: string, afterRevision: number): Promise<TailFile> {
    const name = tailName(afterRevision);
    const file = await open(join(directory, name), "w", 0o600);
    await syncDirectory(directory);
    return new TailFile(name, file);
  }

  /** Resolves when they are on the disk; answers their bytes. */
  async append(commits: readonly SealedCommit[]): Promise<number> {
    const bytes = Buffer.concat(commits.map(encodeTailRecord));
    await this.#file.writeFile(bytes);
    await this.#file.datasync();
    return bytes.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Removes the files of commits but for the one in use. */
export async function dropTails(directory: string, inUse: TailFile | undefined): Promise<void> {
  for (const name of await readdir(directory))
    if (tailStart(name) !== undefined && name !== inUse?.name) await unlink(join(directory, name));
}
