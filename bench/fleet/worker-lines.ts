import { createInterface } from "node:readline";

/** What a worker of the bench is started with: `TestBed.worker`. */
export function workerSetting(): unknown {
  return JSON.parse(process.argv[2] ?? "{}");
}

export function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Hands over each line of the bench. A worker whose bench is gone ends. */
export function onLine(heard: (line: string) => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", heard);
  lines.on("close", () => process.exit());
}
