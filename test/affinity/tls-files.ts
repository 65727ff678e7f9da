import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testCertificate } from "../support/test-certificate.ts";

/** A folder with a key and its certificate, as the servers of a stack want them, and place for more files. */
export class TlsFiles {
  readonly folder = mkdtempSync(join(tmpdir(), "switchyard-affinity-"));
  readonly key = this.path("key.pem");
  readonly cert = this.path("cert.pem");
  /** Key and certificate in one file, as HAProxy wants them. */
  readonly both = this.path("both.pem");

  private constructor() {}

  static async make(): Promise<TlsFiles> {
    const files = new TlsFiles();
    const { key, cert } = await testCertificate("affinity.test");
    files.write("key.pem", key);
    files.write("cert.pem", cert);
    files.write("both.pem", `${cert.trimEnd()}\n${key}`);
    return files;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
