import { startGnutlsStack } from "./gnutls-farm.ts";
import { startHaproxyStack } from "./haproxy-farm.ts";
import { startJavaStack } from "./java-farm.ts";
import { NginxStack } from "./nginx-farm.ts";
import { startNodeStack } from "./node-farm.ts";
import { startOpensslStack } from "./openssl-farm.ts";
import type { TlsFarm, TlsStack } from "./tls-farm.ts";

/** All stacks, each in all its modes. */
export class TlsStacks {
  readonly stacks: readonly TlsStack[];

  private constructor(stacks: readonly TlsStack[]) {
    this.stacks = stacks;
  }

  /** @param host where the servers listen */
  static async start(host: string): Promise<TlsStacks> {
    const starts = [
      NginxStack.start,
      startNodeStack,
      startHaproxyStack,
      startOpensslStack,
      startGnutlsStack,
      startJavaStack,
    ];
    return new TlsStacks(await Promise.all(starts.map((start): Promise<TlsStack> => start(host))));
  }

  get farms(): readonly TlsFarm[] {
    return this.stacks.flatMap(({ farms }) => farms);
  }

  async stop(): Promise<void> {
    for (const stack of this.stacks) await stack.stop();
  }
}
