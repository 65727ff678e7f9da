/**
 * How fast hellos are read: `node dist/bench/hello.bench.js [--check]`. Prints medians of rounds, in CPU time of this
 * process. With `--check` it exits with 1 where a goal is missed: 300,000 typical hellos a second, and a 16 KiB hello byte
 * by byte for at most twice the CPU of the whole one.
 *
 * What byte by byte is held against: the same 16 Ki chunks handed to a reader that only counts them, plus one reading of
 * the whole. The calls are the caller's cost, whoever reads; a whole hello of 16 KiB is parsed without looking at its
 * padding, in less time than any 16 Ki calls take.
 */
import { HelloReader, readHello } from "../dataplane/hello/hello-reader.ts";
import {
  alpn,
  browserHello,
  commonExtensions,
  extension,
  filler,
  helloWith,
  hello,
  keyShare,
  padding,
  serverName,
  supportedVersions,
} from "../test/corpus/hello-builder.ts";

const helloBytesMax = 16_384;
const rounds = 11;
const hellosPerSecondGoal = 300_000;
const byteByByteRatioGoal = 2;

const typical = hello({
  sessionId: filler(32),
  extensions: [
    serverName("www.example.com"),
    ...commonExtensions,
    alpn("h2", "http/1.1"),
    supportedVersions(0x0304, 0x0303),
    keyShare(),
  ],
});
const browser = browserHello("www.example.com");
const big = sixteenKibibytes();

/** A message as long as the default limit, the name behind the padding. */
function sixteenKibibytes(): Uint8Array {
  const build = (fill: number) =>
    helloWith(...commonExtensions, padding(fill), extension(35), serverName("www.example.com"));
  return build(helloBytesMax + 5 - build(0).length);
}

/** CPU microseconds of one call of each work, medians; the works take turns, so that noise meets them alike. */
function microseconds(times: number, ...works: readonly (() => void)[]): number[] {
  const measured: number[][] = works.map(() => []);
  for (let round = 0; round <= rounds; round += 1) {
    works.forEach((work, index) => {
      const before = process.cpuUsage();
      for (let time = 0; time < times; time += 1) work();
      const { user, system } = process.cpuUsage(before);
      if (round > 0) measured[index]?.push((user + system) / times);
    });
  }
  return measured.map((times) => times.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number);
}

/** Uses what was read as routing does, so that nothing of it can be left out. */
let used = 0;
function readAndUse(bytes: Uint8Array): void {
  const outcome = readHello(bytes, helloBytesMax);
  if (outcome.outcome !== "complete") throw new Error(JSON.stringify(outcome));
  used += outcome.hello.nameLength + outcome.hello.alpnIndex("h2");
}

function readChunks(chunks: readonly Uint8Array[]): void {
  const reader = new HelloReader(helloBytesMax);
  for (let index = 0; index < chunks.length - 1; index += 1) reader.push(chunks[index] as Uint8Array);
  if (reader.push(chunks[chunks.length - 1] as Uint8Array).outcome !== "complete") throw new Error("not complete");
}

/** The least that a reader of chunks can do. */
class CountingReader {
  bytes = 0;
  last = 0;

  push(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; at += 1) this.last = chunk[at] as number;
    this.bytes += chunk.length;
    return this.bytes === big.length;
  }
}

function countChunks(chunks: readonly Uint8Array[]): void {
  const reader = new CountingReader();
  for (let index = 0; index < chunks.length - 1; index += 1) reader.push(chunks[index] as Uint8Array);
  if (!reader.push(chunks[chunks.length - 1] as Uint8Array)) throw new Error("not complete");
  used += reader.last;
}

function perSecond(title: string, bytes: Uint8Array): number {
  const [each] = microseconds(200_000, () => readAndUse(bytes)) as [number];
  const hellos = Math.round(1e6 / each);
  console.log(`${title}, ${bytes.length} bytes: ${hellos.toLocaleString("en")} hellos/s, ${each.toFixed(2)} us each`);
  return hellos;
}

const crumbs = Array.from(big, (_, at) => big.subarray(at, at + 1));
const slowest = Math.min(perSecond("typical", typical), perSecond("browser, post-quantum", browser));
const segments = Array.from({ length: Math.ceil(big.length / 1460) }, (_, at) =>
  big.subarray(at * 1460, (at + 1) * 1460),
);
const [whole, segmented] = microseconds(
  20_000,
  () => readAndUse(big),
  () => readChunks(segments),
) as [number, number];
const [counted, crumbled] = microseconds(
  300,
  () => countChunks(crumbs),
  () => readChunks(crumbs),
) as [number, number];
const ratio = crumbled / (whole + counted);

console.log(`16 KiB in one piece: ${whole.toFixed(2)} us; in ${segments.length} segments: ${segmented.toFixed(2)} us`);
console.log(
  `16 KiB byte by byte: ${crumbled.toFixed(0)} us, ${((1000 * crumbled) / big.length).toFixed(1)} ns a byte; ` +
    `handing out the bytes alone: ${counted.toFixed(0)} us; ratio ${ratio.toFixed(2)}`,
);
if (used === 0) throw new Error("nothing was read");
if (process.argv.includes("--check") && (slowest < hellosPerSecondGoal || ratio > byteByByteRatioGoal)) {
  console.error(`goals: ${hellosPerSecondGoal} hellos a second, ratio at most ${byteByByteRatioGoal}`);
  process.exitCode = 1;
}
