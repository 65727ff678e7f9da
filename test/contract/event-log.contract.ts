import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type EventLog, LogUnavailable } from "../../controlplane/log/event-log.ts";
import { origin, type Position } from "../../model/commit.ts";
import { type Append, appendOn, fill, plain, positionOf } from "./sealed-commit.ts";

/** What the suite needs of an engine. */
export interface EventLogHarness {
  /** A new log, empty. */
  open(): Promise<EventLog>;
  /** Opens what a log of `open` wrote, after it was closed. */
  reopen(): Promise<EventLog>;
  /** Alters a byte of the body of a stored snapshot, while the log is closed. */
  damageSnapshot(revision: number): Promise<void>;
  /** Another writer on the same log, for engines that have more than one; closed by `dispose`. */
  another?(): Promise<EventLog>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

const body = (text: string) => new TextEncoder().encode(text);

/** The contract of `controlplane/log/event-log.ts`, law by law. */
export function describeEventLog(engine: string, newHarness: () => EventLogHarness): void {
  describe(`${engine} keeps the event log's contract`, () => {
    let harness: EventLogHarness;
    let log: EventLog;

    beforeEach(async () => {
      harness = newHarness();
      log = await harness.open();
    });

    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    const append = async ({ commit, key }: Append) => log.append(commit, key);
    const head = async () => plain(await log.head());
    const reopen = async () => {
      await log.close();
      log = await harness.reopen();
    };

    describe("appending", () => {
      test("an empty log's head is the origin", async () => {
        expect(await head()).toEqual(plain(origin));
      });

      test("a commit on the head is taken, answered with the new head, and is the head from then on", async () => {
        let expected: Position = origin;
        for (const requestId of ["first", "second", "third"]) {
          const next = appendOn(expected, requestId);
          const outcome = await append(next);
          expected = positionOf(next);
          expect(plain(outcome)).toEqual(plain({ outcome: "appended", head: expected }));
          expect(await head()).toEqual(plain(expected));
        }
        expect(expected.revision).toBe(3);
      });

      test("the bytes of body and hash come back as they were", async () => {
        const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) & 0xff);
        const one = appendOn(origin, "bytes", {}, bytes);
        const empty = appendOn(positionOf(one), "empty", {}, new Uint8Array(0));
        await append(one);
        await append(empty);
        expect(plain(await log.read(0, 10))).toEqual(plain([one.commit, empty.commit]));
      });

      test("a later epoch is taken, and is the head's", async () => {
        const [first] = await fill(log, 1);
        const rebuilt = appendOn(positionOf(first!), "rebuilt", { epoch: 2 });
        expect(plain(await append(rebuilt))).toEqual(plain({ outcome: "appended", head: positionOf(rebuilt) }));
        expect(await head()).toEqual(plain(positionOf(rebuilt)));
      });

      const other = new Uint8Array(32).fill(9);
      test.each<[string, (head: Position, before: Position) => Partial<Append["key"]>]>([
        ["a revision that is there already", (at) => ({ revision: at.revision })],
        ["the revision after next", (at) => ({ revision: at.revision + 2 })],
        ["revision 0", () => ({ revision: 0 })],
        ["the next revision, but another parent", () => ({ parentHash: other })],
        ["the next revision, but no parent", () => ({ parentHash: new Uint8Array(0) })],
        ["the next revision, but the parent before the head", (_, before) => ({ parentHash: before.hash })],
        ["the next revision, but an epoch before the head's", () => ({ epoch: 1 })],
      ])("%s is a conflict, is told the head, and writes nothing", async (_, change) => {
        const before = appendOn(origin, "before", { epoch: 2 });
        const last = appendOn(positionOf(before), "last");
        await append(before);
        await append(last);
        const at = positionOf(last);
        const wrong = appendOn(at, "wrong", change(at, positionOf(before)));
        expect(plain(await append(wrong))).toEqual(plain({ outcome: "conflict", head: at }));
        expect(await head()).toEqual(plain(at));
        expect(await log.findRequest("wrong")).toBeUndefined();
        expect(plain(await log.read(0, 10))).toEqual(plain([before.commit, last.commit]));
      });

      test("the first commit has revision 1 and no parent; anything else is a conflict", async () => {
        const wrong: readonly Partial<Append["key"]>[] = [{ revision: 0 }, { revision: 2 }, { parentHash: other }];
        for (const change of wrong) {
          expect(plain(await append(appendOn(origin, "wrong", change)))).toEqual(
            plain({ outcome: "conflict", head: origin }),
          );
        }
        expect(await head()).toEqual(plain(origin));
      });

      test("after a conflict the same request id is taken on top of the head", async () => {
        await fill(log, 1);
        const late = appendOn(origin, "late");
        expect((await append(late)).outcome).toBe("conflict");
        expect((await append(appendOn(await log.head(), "late"))).outcome).toBe("appended");
        expect(await log.findRequest("late")).toBe(2);
      });
    });

    describe("request ids", () => {
      test.each<[string, (first: Append, last: Append) => Append]>([
        ["the same commit again", (first) => first],
        ["another commit on the head", (first, last) => appendOn(positionOf(last), first.key.requestId)],
        ["another commit on an old head", (first) => appendOn(positionOf(first), first.key.requestId)],
        ["a revision far off", (first, last) => appendOn(positionOf(last), first.key.requestId, { revision: 99 })],
      ])(
        "%s, under an id that was taken, is a duplicate of the first revision, and writes nothing",
        async (_, make) => {
          const [first, , last] = await fill(log, 3);
          expect(await append(make(first!, last!))).toEqual({ outcome: "duplicate", revision: 1 });
          expect(await head()).toEqual(plain(positionOf(last!)));
          expect(await log.read(0, 10)).toHaveLength(3);
        },
      );

      test("findRequest knows each revision by its id, and no other", async () => {
        await fill(log, 3);
        expect(await log.findRequest("r1")).toBe(1);
        expect(await log.findRequest("r3")).toBe(3);
        expect(await log.findRequest("r4")).toBeUndefined();
        expect(await log.findRequest("R1")).toBeUndefined();
        expect(await log.findRequest("")).toBeUndefined();
      });
    });

    describe("many writers at once", () => {
      test("of many commits for one revision exactly one is taken, and the others are told of it", async () => {
        const writers = [log, (await harness.another?.()) ?? log];
        for (let revision = 1; revision <= 10; revision += 1) {
          const at = await log.head();
          const racing = Array.from({ length: 20 }, (_, index) => appendOn(at, `race-${revision}-${index}`));
          const outcomes = await Promise.all(
            racing.map(async ({ commit, key }, index) => writers[index % 2]!.append(commit, key)),
          );
          const taken = racing.filter((_, index) => outcomes[index]!.outcome === "appended");
          expect(taken).toHaveLength(1);
          const now = plain(positionOf(taken[0]!));
          expect(await head()).toEqual(now);
          expect(outcomes.filter(({ outcome }) => outcome === "conflict").map(plain)).toEqual(
            Array.from({ length: 19 }, () => ({ outcome: "conflict", head: now })),
          );
        }
        expect(await log.read(0, 100)).toHaveLength(10);
      });

      test("one commit that is appended many times at once is taken once; the others are its duplicates", async () => {
        const once = appendOn(origin, "once");
        const outcomes = await Promise.all(Array.from({ length: 20 }, async () => append(once)));
        expect(outcomes.filter(({ outcome }) => outcome === "appended")).toHaveLength(1);
        expect(outcomes.filter((answer) => answer.outcome === "duplicate" && answer.revision === 1)).toHaveLength(19);
        expect(await log.read(0, 100)).toHaveLength(1);
      });

      test("a chain of commits that is appended without waiting is taken whole, in its order", async () => {
        const chain: Append[] = [];
        for (let at: Position = origin; chain.length < 600; at = positionOf(chain.at(-1)!)) {
          chain.push(appendOn(at, `chained-${chain.length}`));
        }
        const outcomes = await Promise.all(chain.map(append));
        expect(plain(outcomes)).toEqual(chain.map((one) => plain({ outcome: "appended", head: positionOf(one) })));
        expect(plain(await log.read(0, 1_000))).toEqual(chain.map(({ commit }) => plain(commit)));
      });
    });

    describe("reading", () => {
      test.each<[number, number, readonly number[]]>([
        [0, 100, [1, 2, 3, 4, 5, 6, 7]],
        [0, 7, [1, 2, 3, 4, 5, 6, 7]],
        [0, 3, [1, 2, 3]],
        [3, 2, [4, 5]],
        [6, 100, [7]],
        [7, 100, []],
        [100, 100, []],
        [0, 0, []],
      ])("after %i, at most %i: in order, as far as the head", async (after, limit, revisions) => {
        const appends = await fill(log, 7);
        expect(plain(await log.read(after, limit))).toEqual(
          revisions.map((revision) => plain(appends[revision - 1]!.commit)),
        );
      });

      test("an empty log has nothing to read", async () => {
        expect(await log.read(0, 100)).toEqual([]);
      });
    });

    describe("being told of appends", () => {
      test("each append is told once, in order, with its head; conflicts and duplicates are not", async () => {
        const told: unknown[] = [];
        log.onAppend((at) => told.push(plain(at)));
        const appends = await fill(log, 3);
        await append(appends[0]!);
        await append(appendOn(origin, "conflict"));
        appends.push(...(await fill(log, 1)));
        await vi.waitFor(() => expect(told).toHaveLength(4), { timeout: 30_000 });
        expect(told).toEqual(appends.map((one) => plain(positionOf(one))));
      });

      test("all who asked are told, until each one stops", async () => {
        const told: string[] = [];
        const stop = log.onAppend((at) => told.push(`one ${at.revision}`));
        log.onAppend((at) => told.push(`two ${at.revision}`));
        await fill(log, 1);
        await vi.waitFor(() => expect(told).toEqual(["one 1", "two 1"]), { timeout: 30_000 });
        stop();
        stop();
        await fill(log, 1);
        await vi.waitFor(() => expect(told).toEqual(["one 1", "two 1", "two 2"]), { timeout: 30_000 });
      });

      test("what was told of can be read", async () => {
        const read = new Promise<number>((resolve, reject) => {
          log.onAppend((at) => {
            log.read(at.revision - 1, 1).then((commits) => resolve(commits.length), reject);
          });
        });
        await fill(log, 1);
        expect(await read).toBe(1);
      });

      test("after closing nobody is told", async () => {
        const told = vi.fn<(at: Position) => void>();
        log.onAppend(told);
        await reopen();
        await fill(log, 1);
        expect(told).not.toHaveBeenCalled();
      });
    });

    describe("snapshots", () => {
      const bodyAt = (revision: number) => body(`the configuration at ${revision}`);
      const save = async (position: Position) => log.saveSnapshot({ position, body: bodyAt(position.revision) });
      const found = async (revision: number) => (await log.snapshotAtOrBefore(revision))?.position.revision;

      test("without one there is none", async () => {
        await fill(log, 1);
        expect(await log.snapshotAtOrBefore(1)).toBeUndefined();
      });

      test("the newest at or before a revision comes back, as it was", async () => {
        const positions = (await fill(log, 6)).map(positionOf);
        await save(positions[1]!);
        await save(positions[4]!);
        expect(await log.snapshotAtOrBefore(1)).toBeUndefined();
        for (const revision of [2, 3, 4]) expect(await found(revision)).toBe(2);
        for (const revision of [5, 6, 100]) {
          expect(plain(await log.snapshotAtOrBefore(revision))).toEqual(
            plain({ position: positions[4]!, body: bodyAt(5) }),
          );
        }
      });

      test("one in another's place is the one that counts", async () => {
        const [position] = (await fill(log, 1)).map(positionOf);
        await save(position!);
        await log.saveSnapshot({ position: position!, body: body("again") });
        expect(plain(await log.snapshotAtOrBefore(1))).toEqual(plain({ position, body: body("again") }));
      });

      test("one that drops the newer ones is the newest from then on", async () => {
        const positions = (await fill(log, 6)).map(positionOf);
        for (const revision of [1, 3, 4, 5]) await save(positions[revision - 1]!);
        await log.saveSnapshot({ position: positions[2]!, body: bodyAt(3) }, "drop_newer");
        expect(await found(100)).toBe(3);
        await log.saveSnapshot({ position: positions[1]!, body: bodyAt(2) }, "drop_newer");
        expect(await found(100)).toBe(2);
        await reopen();
        expect(await found(100)).toBe(2);
        await save(positions[5]!);
        expect(await found(100)).toBe(6);
        expect(await found(5)).toBe(2);
      });

      test("the newest few are kept, at least two, and the oldest dropped", async () => {
        const positions = (await fill(log, 40)).map(positionOf);
        for (const position of positions) await save(position);
        const kept = new Set<number | undefined>();
        for (let revision = 1; revision <= 40; revision += 1) kept.add(await found(revision));
        kept.delete(undefined);
        expect(kept.size).toBeGreaterThanOrEqual(2);
        expect(kept.size).toBeLessThanOrEqual(10);
        expect([...kept]).toEqual(Array.from({ length: kept.size }, (_, index) => 41 - kept.size + index));
      });

      test("a damaged one is passed over for the one before, and the last one damaged leaves none", async () => {
        const positions = (await fill(log, 4)).map(positionOf);
        await save(positions[1]!);
        await save(positions[3]!);
        for (const [damaged, left] of [
          [4, 2],
          [2, undefined],
        ] as const) {
          await log.close();
          await harness.damageSnapshot(damaged);
          log = await harness.reopen();
          expect(await found(4)).toBe(left);
        }
        expect(await log.read(0, 10)).toHaveLength(4);
      });
    });

    describe("closing and opening again", () => {
      test("everything is there again: commits, head, request ids, snapshots; and appends go on", async () => {
        const appends = await fill(log, 5);
        const snapshot = { position: positionOf(appends[2]!), body: body("three") };
        await log.saveSnapshot(snapshot);
        await reopen();
        expect(await head()).toEqual(plain(positionOf(appends[4]!)));
        expect(plain(await log.read(0, 10))).toEqual(appends.map(({ commit }) => plain(commit)));
        expect(await append(appends[1]!)).toEqual({ outcome: "duplicate", revision: 2 });
        expect(plain(await log.snapshotAtOrBefore(5))).toEqual(plain(snapshot));
        await fill(log, 1);
        expect((await log.head()).revision).toBe(6);
      });

      test("an empty log is an empty log again", async () => {
        await reopen();
        expect(await head()).toEqual(plain(origin));
      });

      test("what was asked for before closing is answered, and kept if the answer says so", async () => {
        const pending = append(appendOn(origin, "last-words"));
        const closing = log.close();
        const answer: unknown = await pending.catch((error: unknown) => error);
        await closing;
        log = await harness.reopen();
        const kept = (await log.findRequest("last-words")) === 1;
        expect({ kept, refused: answer instanceof LogUnavailable }).toEqual({ kept, refused: !kept });
      });

      test("closing twice, or at once, is closing once", async () => {
        await Promise.all([log.close(), log.close()]);
        await log.close();
        await expect(log.head()).rejects.toThrow(LogUnavailable);
      });

      test.each<[string, (closed: EventLog) => Promise<unknown>]>([
        ["head", async (closed) => closed.head()],
        ["append", async (closed) => closed.append(appendOn(origin, "late").commit, appendOn(origin, "late").key)],
        ["read", async (closed) => closed.read(0, 1)],
        ["findRequest", async (closed) => closed.findRequest("r1")],
        ["saveSnapshot", async (closed) => closed.saveSnapshot({ position: origin, body: body("") })],
        ["snapshotAtOrBefore", async (closed) => closed.snapshotAtOrBefore(1)],
        ["onAppend", async (closed) => closed.onAppend(() => undefined)],
      ])("%s of a closed log says LogUnavailable", async (_, call) => {
        await log.close();
        await expect(call(log)).rejects.toThrow(LogUnavailable);
      });
    });
  });
}
