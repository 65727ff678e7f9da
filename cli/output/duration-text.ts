/** The largest unit that fits without a fraction: `90s`, `10m`, `1.5s`, `250ms`; empty where there is none. */
export function durationText(duration: { readonly seconds: bigint; readonly nanos: number } | undefined): string {
  if (duration === undefined) return "";
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1e6;
  if (ms === 0) return "0s";
  if (ms < 1000) return `${ms}ms`;
  for (const [unit, size] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms / 1000}s`;
}
