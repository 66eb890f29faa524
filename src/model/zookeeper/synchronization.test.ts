import { describe, expect, it } from "vitest";
import { DataTree } from "./data-tree.ts";
import type { Snapshot } from "./snapshot.ts";
import { type CommittedHistory, planSynchronization } from "./synchronization.ts";
import { nodeOf, writeHistory } from "./testing/disk.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { makeZxid } from "./txn.ts";
import type { LogEntry } from "./txn-log.ts";
import { makeRecord } from "./txn-record.ts";

const z = makeZxid;

function history(zxids: readonly number[], start = 0, diskLogLimit = 0): CommittedHistory {
  const entries: LogEntry[] = zxids.map((zxid, i) => ({
    record: makeRecord(zxid, 0, 0, -1, { type: "error", code: 0 }),
    index: i + 1,
    prefixHash: 0,
  }));
  return {
    log: {
      get: (position) => entries[position] as LogEntry,
      positionAfter: (zxid) => entries.filter(({ record }) => record.zxid <= zxid).length,
    },
    appliedPosition: entries.length,
    committedLogStart: start,
    lastProcessedZxid: zxids.at(-1) ?? 0,
    diskLogLimit,
  };
}

const LEADER = [z(5, 16), z(5, 17), z(5, 18), z(5, 19), z(5, 20)];

describe("the choice of DIFF, TRUNC or SNAP [ZAB-21]", () => {
  it("1: an equal follower gets an empty DIFF", () => {
    expect(planSynchronization(history(LEADER), z(5, 20))).toEqual({ kind: "DIFF", from: 5 });
    expect(planSynchronization(history([]), 0)).toEqual({ kind: "DIFF", from: 0 });
  });
  it("2: a follower that is ahead is truncated to the leader's last", () => {
    const plan = planSynchronization(history(LEADER), z(5, 21));
    expect(plan).toEqual({ kind: "TRUNC", to: z(5, 20), from: 5 });
  });
  it("2: ahead by an epoch without transactions: nothing to cut off, so a snapshot", () => {
    expect(planSynchronization(history(LEADER), z(6, 0))).toEqual({ kind: "SNAP" });
  });
  it("2 and 4: with nothing in memory the leader's last zxid is the only measure", () => {
    const nothing = history(LEADER, 5, 10_000);
    const plan = planSynchronization(nothing, z(5, 21));
    expect(plan).toEqual({ kind: "TRUNC", to: z(5, 20), from: 5 });
    expect(planSynchronization(nothing, z(5, 17))).toEqual({ kind: "DIFF", from: 2 });
  });
  it("3: the oldest entry in memory is known without the disk", () => {
    const plan = planSynchronization(history(LEADER, 2), z(5, 18));
    expect(plan).toEqual({ kind: "DIFF", from: 3 });
  });
  it("4: from disk up to the limit and not a byte more", () => {
    const { bytes } = makeRecord(z(5, 18), 0, 0, -1, { type: "error", code: 0 });
    const within = planSynchronization(history(LEADER, 3, 3 * bytes), z(5, 17));
    expect(within).toEqual({ kind: "DIFF", from: 2 });
    const beyond = planSynchronization(history(LEADER, 3, 3 * bytes - 1), z(5, 17));
    expect(beyond).toEqual({ kind: "SNAP" });
  });
  it("4: before all that is on disk: no common history is proved", () => {
    expect(planSynchronization(history(LEADER, 3, 10_000), z(5, 0))).toEqual({ kind: "SNAP" });
  });
  it("3: a known follower gets what follows", () => {
    expect(planSynchronization(history(LEADER), z(5, 19))).toEqual({ kind: "DIFF", from: 4 });
  });
  it("3: an unknown entry of the same epoch is cut off, then what follows", () => {
    const log = [z(5, 16), z(5, 17), z(5, 19), z(5, 20)];
    const plan = planSynchronization(history(log), z(5, 18));
    expect(plan).toEqual({ kind: "TRUNC", to: z(5, 17), from: 2 });
  });
  it("3: an unknown entry before another epoch needs a snapshot", () => {
    const log = [z(4, 90), z(5, 1), z(5, 2)];
    expect(planSynchronization(history(log), z(4, 99))).toEqual({ kind: "SNAP" });
  });
  it("3: the zxid of a new epoch without transactions gets what follows", () => {
    const log = [z(4, 90), z(5, 1), z(5, 2)];
    expect(planSynchronization(history(log), z(5, 0))).toEqual({ kind: "DIFF", from: 1 });
  });
  it("4: behind the memory: from disk if it is not much, else a snapshot", () => {
    expect(planSynchronization(history(LEADER, 3, 10_000), z(5, 17))).toEqual({
      kind: "DIFF",
      from: 2,
    });
    expect(planSynchronization(history(LEADER, 3, 10), z(5, 17))).toEqual({ kind: "SNAP" });
    expect(planSynchronization(history(LEADER, 3, 10_000), z(4, 99))).toEqual({ kind: "SNAP" });
  });
});

describe("synchronisation of a running follower", () => {
  const prefix = Array.from({ length: 17 }, (_, i) => z(5, i + 1));
  const leaderLog = [...prefix, z(5, 18), z(5, 19), z(5, 20)];

  /** Servers 1 and 2 agree; server 3 joins late with its own history. */
  function join(third: readonly number[], epoch: number): Ensemble {
    const ensemble = new Ensemble({ start: false });
    writeHistory(ensemble.node(1), { currentEpoch: 5, zxids: leaderLog });
    writeHistory(ensemble.node(2), { currentEpoch: 5, zxids: leaderLog });
    writeHistory(ensemble.node(3), { currentEpoch: epoch, zxids: third });
    ensemble.world.start(ensemble.node(1));
    ensemble.world.start(ensemble.node(2));
    ensemble.runUntilServing(1);
    ensemble.world.start(ensemble.node(3));
    ensemble.runUntilServing(2);
    const [a, b] = [ensemble.server(3).database, ensemble.server(2).database];
    expect(a.lastLoggedZxid).toBe(b.lastLoggedZxid);
    expect(a.lastLoggedHash).toBe(b.lastLoggedHash);
    expect(a.tree.childrenOf("/")).toEqual(b.tree.childrenOf("/"));
    return ensemble;
  }

  it("5|19 gets DIFF with 5|20 [A.17]", () => {
    const ensemble = join(leaderLog.slice(0, -1), 5);
    expect(ensemble.of("ZkTruncated")).toEqual([]);
    const logged = ensemble.of("ZkLogged").filter(({ server }) => server === 3);
    expect(logged.map(({ zxid }) => zxid)).toEqual([z(5, 20)]);
  });

  it("5|21 is truncated to 5|20 [A.17]", () => {
    const ensemble = join([...leaderLog, z(5, 21)], 5);
    expect(ensemble.of("ZkTruncated").map(({ to }) => to)).toEqual([z(5, 20)]);
    expect(ensemble.server(3).database.tree.get(nodeOf(z(5, 21)))).toBeUndefined();
  });

  it("4|99 that the leader does not know gets SNAP [A.17]", () => {
    const ensemble = join([z(4, 98), z(4, 99)], 4);
    const installed = ensemble
      .of("ZkSnapshotInstalled")
      .filter(({ source }) => source === "leader");
    expect(installed.map(({ server, zxid }) => [server, zxid])).toEqual([[3, z(5, 20)]]);
    expect(ensemble.server(3).database.tree.get(nodeOf(z(4, 99)))).toBeUndefined();
    // And it has it on disk [ZAB-22].
    ensemble.world.powerOff(ensemble.node(3));
    ensemble.world.start(ensemble.node(3));
    expect(ensemble.server(3).database.lastLoggedZxid).toBe(z(5, 20));
  });

  it("an empty follower gets the whole state [ZFS-2]", () => {
    join([], 0);
  });

  it("a follower that cannot cut its history asks for the whole state", () => {
    const ensemble = new Ensemble({ start: false });
    for (const id of [1, 2]) writeHistory(ensemble.node(id), { currentEpoch: 5, zxids: leaderLog });
    writeHistory(ensemble.node(3), { currentEpoch: 5, zxids: [] });
    const ahead = new DataTree(null).snapshot(z(5, 22), 22, 7);
    ensemble.node(3).disk.cell<Snapshot[]>("zookeeper/snapshots").write([ahead]);
    ensemble.world.start(ensemble.node(1));
    ensemble.world.start(ensemble.node(2));
    ensemble.runUntilServing(1);
    ensemble.world.start(ensemble.node(3));
    ensemble.runUntilServing(2);
    expect(ensemble.server(3).database.lastLoggedHash).toBe(
      ensemble.server(2).database.lastLoggedHash,
    );
    expect(
      ensemble.of("ZkSnapshotInstalled").filter(({ source }) => source === "leader"),
    ).toHaveLength(1);
  });

  it("adopts uncommitted proposals that the new leader has [ZAB-35] [ZAB-20]", () => {
    const ensemble = new Ensemble({ start: false });
    writeHistory(ensemble.node(1), { currentEpoch: 5, zxids: leaderLog });
    writeHistory(ensemble.node(2), { currentEpoch: 5, zxids: [...leaderLog, z(5, 21)] });
    writeHistory(ensemble.node(3), { currentEpoch: 5, zxids: leaderLog });
    for (const node of ensemble.servers) ensemble.world.start(node);
    expect(ensemble.runUntilServing(2)).toBe(2);
    for (const id of [1, 2, 3]) {
      expect(ensemble.server(id).database.tree.get(nodeOf(z(5, 21)))).toBeDefined();
      const applied = ensemble.of("ZkApplied").filter(({ server }) => server === id);
      expect(applied.at(-1)?.zxid).toBe(z(5, 21));
      expect(applied.map(({ index }) => index)).toEqual(applied.map((_, i) => i + 1));
    }
  });
});
