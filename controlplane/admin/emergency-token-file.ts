import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

/** As many as `openssl rand -hex 16` gives, 128 bits: guesses are not slowed down. */
const tokenLengthMin = 32;

/** A token with fewer different characters was typed to fill the length. By chance one of 32 hexadecimal digits has so few once in 10^9. */
const differentMin = 6;

/** More is no token: somebody has named another file. */
const fileBytesMax = 4096;

/** The emergency token's file can't be used; the message is for the operator. */
export class EmergencyTokenUnusable extends Error {
  override readonly name = "EmergencyTokenUnusable";
}

/**
 * The token of emergency releases, in a file that only the control plane may read. It is read again where the file has changed, so
 * that it can be exchanged while everything runs.
 */
export class EmergencyTokenFile {
  readonly #path: string;
  #read: { readonly version: string; readonly digest: Buffer } | undefined;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws EmergencyTokenUnusable */
  static open(path: string): EmergencyTokenFile {
    const file = new EmergencyTokenFile(path);
    file.digest();
    return file;
  }

  /**
   * SHA-256 of the token as it is now. A file that has become unusable is an error: the old token does not go on.
   *
   * @throws EmergencyTokenUnusable
   */
  digest(): Buffer {
    const file = this.#open();
    try {
      // Of the opened file, so that nobody exchanges it between the look and the reading.
      const { mode, size, mtimeMs, ctimeMs, ino } = fstatSync(file);
      if ((mode & 0o077) !== 0) {
        const bits = (mode & 0o777).toString(8).padStart(3, "0");
        throw this.#unusable(`others may read or write it (mode ${bits}): chmod 600 it`);
      }
      if (size > fileBytesMax) throw this.#unusable(`it has ${size} bytes; a token has at most ${fileBytesMax}`);
      const version = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      if (this.#read?.version !== version) this.#read = { version, digest: sha256(this.#tokenIn(file)) };
      return this.#read.digest;
    } finally {
      closeSync(file);
    }
  }

  #open(): number {
    try {
      return openSync(this.#path, "r");
    } catch (error) {
      throw this.#unusable(error instanceof Error ? error.message : String(error));
    }
  }

  #tokenIn(file: number): string {
    const token = readText(file, (message) => this.#unusable(message)).trim();
    if (token === "") throw this.#unusable("it is empty");
    if (token.length < tokenLengthMin)
      throw this.#unusable(
        `the token has ${token.length} characters; at least ${tokenLengthMin} are needed (openssl rand -hex 16)`,
      );
    if (new Set(token).size < differentMin)
      throw this.#unusable(
        `the token repeats very few characters, and can be guessed: make one with openssl rand -hex 16`,
      );
    return token;
  }

  #unusable(why: string): EmergencyTokenUnusable {
    return new EmergencyTokenUnusable(`the emergency token file ${this.#path} can't be used: ${why}`);
  }
}

function readText(file: number, unusable: (message: string) => Error): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // A folder can be opened, and not be read.
    throw unusable(error instanceof Error ? error.message : String(error));
  }
}

export function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
