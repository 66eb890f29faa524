import { describe, expect, it } from "vitest";
import { makeZxid, type Txn } from "../../model/zookeeper/txn.ts";
import { Stream } from "../testing/stream.ts";

const NOTHING: Txn = { type: "error", code: -101 };

function zxid(counter: number, epoch = 1): number {
  return makeZxid(epoch, counter);
}

/** Logs 1 to `last` on the servers; the hash of a log is its last counter. */
function logged(stream: Stream, last: number, ...servers: number[]): Stream {
  for (const server of servers) {
    for (let i = 1; i <= last; i++) {
      stream.state({ kind: "ZkLogged", server, zxid: zxid(i), prefixHash: i });
    }
  }
  return stream;
}

function apply(stream: Stream, server: number, index: number, hash = index): Stream {
  const place = { server, zxid: zxid(index), index, prefixHash: hash };
  return stream.state({ kind: "ZkApplied", txn: NOTHING, ...place });
}

function serve(stream: Stream, server: number, epoch: number, last: number): Stream {
  const log = { lastZxid: zxid(last), prefixHash: last };
  stream.state({ kind: "ZkEpochEstablished", server, epoch, ...log });
  return stream.state({ kind: "ZkLeaderServing", server, epoch, ...log });
}

describe("an ensemble that does everything right", () => {
  it("is silent over a change of leader, TRUNC of a proposal and a restart [I-15]", () => {
    const stream = logged(serve(new Stream(), 3, 1, 0), 2, 1, 2, 3);
    for (const index of [1, 2]) for (const server of [3, 1, 2]) apply(stream, server, index);
    stream.state({ kind: "ZkLogged", server: 3, zxid: zxid(3), prefixHash: 3 });
    serve(stream, 2, 2, 2);
    stream.state({ kind: "ZkLogLoaded", server: 3, lastZxid: zxid(3), prefixHash: 3 });
    stream.state({ kind: "ZkTruncated", server: 3, to: zxid(2), prefixHash: 2 });
    for (const server of [1, 2, 3]) {
      stream.state({ kind: "ZkLogged", server, zxid: zxid(1, 2), prefixHash: 77 });
    }
    for (const server of [2, 1, 3]) {
      const place = { server, zxid: zxid(1, 2), index: 3, prefixHash: 77 };
      stream.state({ kind: "ZkApplied", txn: NOTHING, ...place });
    }
    expect(stream.caught).toEqual([]);
  });
});

describe("the order of transactions", () => {
  it("ZabPrefixConsistency catches another transaction at the same place", () => {
    const stream = logged(new Stream(), 2, 1, 2, 3);
    apply(apply(stream, 1, 1), 2, 1, 99);
    expect(stream.caught).toEqual(["ZabPrefixConsistency"]);
  });

  it("ZabPrefixConsistency catches a snapshot of another history", () => {
    const stream = apply(logged(new Stream(), 1, 1, 2, 3), 1, 1);
    const snapshot = { server: 2, zxid: zxid(1), index: 1, prefixHash: 5 };
    stream.state({ kind: "ZkSnapshotInstalled", ...snapshot, source: "leader" });
    expect(stream.caught).toContain("ZabPrefixConsistency");
  });

  it("ZabTotalOrder catches a server that applies the later one first", () => {
    const stream = logged(new Stream(), 3, 1, 2, 3);
    for (const index of [1, 2, 3]) apply(stream, 1, index);
    apply(apply(apply(stream, 2, 1), 2, 3), 2, 2);
    expect(stream.caught).toEqual(["ZabTotalOrder"]);
  });
});

describe("leaders and durability", () => {
  it("ZabLeaderLogCompleteness catches a leader without a committed transaction", () => {
    const stream = apply(logged(logged(new Stream(), 1, 3), 2, 1, 2), 1, 1);
    apply(stream, 1, 2);
    serve(stream, 3, 2, 1);
    expect(stream.caught).toEqual(["ZabLeaderLogCompleteness"]);
  });

  it("ZabSingleLeaderPerEpoch catches a second leader of an epoch (ZOOKEEPER-335)", () => {
    const stream = serve(serve(new Stream(), 1, 1, 0), 2, 1, 0);
    expect(stream.caught).toEqual(["ZabSingleLeaderPerEpoch"]);
  });

  it("ZabCommittedLogDurability catches a commit that is in one log only [ZAB-31]", () => {
    expect(apply(logged(new Stream(), 1, 1, 2), 1, 1).caught).toEqual([]);
    const alone = apply(logged(new Stream(), 1, 1), 1, 1);
    expect(alone.caught).toEqual(["ZabCommittedLogDurability"]);
  });

  it("ZabCommittedLogDurability catches the truncation of a committed transaction", () => {
    const stream = apply(logged(new Stream(), 1, 1, 2, 3), 1, 1);
    stream.state({ kind: "ZkTruncated", server: 3, to: 0, prefixHash: 0 });
    expect(stream.finish().caught).toEqual(["ZabCommittedLogDurability"]);
  });

  it("ZabCommittedLogDurability is silent when the leader sends it again at once [ZAB-21]", () => {
    const stream = apply(logged(new Stream(), 1, 1, 2, 3), 1, 1);
    stream.state({ kind: "ZkTruncated", server: 3, to: 0, prefixHash: 0 });
    expect(logged(stream, 1, 3).finish().caught).toEqual([]);
  });

  it("ZabCommittedLogDurability catches what a restart shows to be gone (ZOOKEEPER-4646)", () => {
    const stream = apply(logged(new Stream(), 1, 1, 2), 1, 1);
    stream.state({ kind: "ZkLogLoaded", server: 2, lastZxid: 0, prefixHash: 0 });
    expect(stream.caught).toEqual(["ZabCommittedLogDurability"]);
  });
});

describe("sessions", () => {
  it("ZabMonotonicReads catches a session that goes back in time [SES-5]", () => {
    const stream = new Stream();
    const answer = (zxid: number) => stream.state({ kind: "ZkClientAnswer", session: 5, zxid });
    answer(3);
    expect(answer(3).caught).toEqual([]);
    expect(answer(2).caught).toEqual(["ZabMonotonicReads"]);
  });

  it("EphemeralLifetime is silent when the end of a session takes its znodes [SES-3]", () => {
    expect(new Stream().register(1).expire(1).register(1).caught).toEqual([]);
  });

  it("EphemeralLifetime catches a znode that survives its session (ZOOKEEPER-3144)", () => {
    const stream = new Stream().register(1);
    stream.txn({ type: "closeSession", session: 101, paths: [] });
    expect(stream.caught).toEqual(["EphemeralLifetime"]);
    const written = new Stream().register(1).expire(1);
    written.txn({ type: "delete", path: "/brokers/ids/1" });
    expect(written.caught).toEqual(["EphemeralLifetime"]);
  });

  it("EphemeralLifetime catches a znode made for a session that is over", () => {
    const stream = new Stream();
    stream.txn({ type: "createSession", session: 102, timeoutMs: 1 });
    stream.txn({ type: "closeSession", session: 102, paths: [] });
    stream.txn({ type: "create", path: "/y", data: "", ephemeralOwner: 102, parentCversion: 0 });
    expect(stream.caught).toEqual(["EphemeralLifetime"]);
  });

  it("SessionLifetime catches an expiry before the time-out [SES-2]", () => {
    const stream = new Stream();
    const expiring = { kind: "ZkSessionExpiring", server: 1, session: 5, timeoutMs: 6000 } as const;
    expect(stream.state({ ...expiring, sinceTouchMs: 6000 }).caught).toEqual([]);
    expect(stream.state({ ...expiring, sinceTouchMs: 100 }).caught).toEqual(["SessionLifetime"]);
  });
});
