const lookAgainMs = 2;

/**
 * Waits until `look` answers with something, and gives that. The time limit is there to end a test that hangs, with
 * words; no test may depend on it.
 */
export async function waitFor<Value>(
  what: string,
  look: () => Value | undefined | null | false,
  timeoutMs = 30_000,
): Promise<Value> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const value = look();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`waited for ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}
