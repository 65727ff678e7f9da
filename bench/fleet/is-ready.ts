/** Whether a process says that it is ready; what it answers otherwise is a reason. */
export async function isReady(httpPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`);
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    // Not listening yet.
    return false;
  }
}
