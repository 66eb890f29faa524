/**
 * The invariants of the ensemble's replicated log [I-15, CHECKS §4.1]: ZabPrefixConsistency,
 * ZabTotalOrder, ZabLeaderLogCompleteness, ZabCommittedLogDurability, ZabSingleLeaderPerEpoch and
 * ZabMonotonicReads.
 *
 * All are judged against the ghost's committed sequence: the ghost-log invariants are those that
 * found the deep bugs of ZooKeeper (CHECKS §4.3).
 */
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";

type Of<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

/** `0x500000011`, as ZooKeeper prints it. */
export function zxidText(zxid: number): string {
  const epoch = Math.floor(zxid / 4294967296);
  return `0x${epoch.toString(16)}${(zxid - epoch * 4294967296).toString(16).padStart(8, "0")}`;
}

export function watchZabOrder(context: CheckContext): void {
  const { observers, zooKeeper } = context;
  const prefix = context.check("ZabPrefixConsistency");
  const order = context.check("ZabTotalOrder");
  /** Last transaction applied by each server since its state was last replaced. */
  const applied = new Map<number, { zxid: number; index: number }>();

  observers.on<Of<"ZkApplied">>("ZkApplied", (o, _node, at) => {
    prefix.evaluated++;
    const zxid = zooKeeper.zxids[o.index - 1];
    if (zxid !== o.zxid || zooKeeper.hashes[o.index - 1] !== o.prefixHash) {
      const there =
        zxid === o.zxid
          ? "after another history"
          : zxid === undefined || Number.isNaN(zxid)
            ? `after ${zxidText(zooKeeper.lastCommitted)} was committed`
            : `where ${zxidText(zxid)} was committed`;
      const saw = `server ${o.server} applied ${zxidText(o.zxid)} as number ${o.index}, ${there}`;
      prefix.fail(at, saw, { brokers: [o.server] });
    }
    order.evaluated++;
    const last = applied.get(o.server);
    applied.set(o.server, { zxid: o.zxid, index: o.index });
    if (last === undefined || (o.zxid > last.zxid && o.index === last.index + 1)) return;
    const saw =
      `server ${o.server} applied ${zxidText(o.zxid)} as number ${o.index}, ` +
      `right after ${zxidText(last.zxid)} as number ${last.index}`;
    order.fail(at, saw, { brokers: [o.server] });
  });
  observers.on<Of<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", (o, _node, at) => {
    applied.set(o.server, { zxid: o.zxid, index: o.index });
    // The end of what a disk holds may be proposals that nobody committed [ZAB-2].
    if (o.source === "disk") return;
    const zxid = zooKeeper.zxids[o.index - 1];
    if (zxid === undefined || Number.isNaN(zxid)) return;
    prefix.evaluated++;
    if (zxid === o.zxid && zooKeeper.hashes[o.index - 1] === o.prefixHash) return;
    const saw =
      `server ${o.server} took a snapshot of ${o.index} transactions that ends with ` +
      `${zxidText(o.zxid)}; ${zxidText(zxid)} was committed as the last of these`;
    prefix.fail(at, saw, { brokers: [o.server] });
  });
  observers.on<Of<"ZkTruncated">>("ZkTruncated", (o) => {
    applied.delete(o.server);
  });
  observers.on<Of<"ZkLogLoaded">>("ZkLogLoaded", (o) => {
    applied.delete(o.server);
  });
}

export function watchZabLeaders(context: CheckContext): void {
  const { observers, zooKeeper } = context;
  const complete = context.check("ZabLeaderLogCompleteness");
  const single = context.check("ZabSingleLeaderPerEpoch");
  const leaders = new Map<number, number>();

  observers.on<Of<"ZkEpochEstablished">>("ZkEpochEstablished", (o, _node, at) => {
    single.evaluated++;
    const leader = leaders.get(o.epoch);
    if (leader === undefined) leaders.set(o.epoch, o.server);
    else {
      const who = leader === o.server ? "again" : `after server ${leader}`;
      single.fail(at, `server ${o.server} took over epoch ${o.epoch}, ${who}`, {
        brokers: [o.server, leader],
      });
    }
    judge(o, "took over", at);
  });
  observers.on<Of<"ZkLeaderServing">>("ZkLeaderServing", (o, _node, at) => {
    judge(o, "began to serve", at);
  });

  function judge(
    o: Of<"ZkEpochEstablished"> | Of<"ZkLeaderServing">,
    did: string,
    at: Micros,
  ): void {
    const { lastCommitted, lastCommittedHash } = zooKeeper;
    if (lastCommitted === 0) return;
    complete.evaluated++;
    const server = zooKeeper.server(o.server);
    const holds =
      o.lastZxid === lastCommitted
        ? o.prefixHash === lastCommittedHash
        : o.lastZxid > lastCommitted && server.holds(lastCommitted, lastCommittedHash);
    if (holds) return;
    const saw =
      `server ${o.server} ${did} as leader of epoch ${o.epoch} with a log up to ` +
      `${zxidText(o.lastZxid)} that lacks ${zxidText(lastCommitted)}, which was committed`;
    complete.fail(at, saw, { brokers: [o.server] });
  }
}

export function watchZabDurability(context: CheckContext): void {
  const { facts, observers, zooKeeper } = context;
  const check = context.check("ZabCommittedLogDurability");
  const size = facts.zookeeperServers.length;
  const quorum = Math.floor(size / 2) + 1;
  /** Newest committed transaction that was told to be on too few servers. */
  let told = 0;
  /** Cuts below a committed transaction that are not yet settled, by server. */
  const cuts = new Map<number, { zxid: number; hash: number; did: string; at: Micros }>();

  for (const kind of ["ZkLogged", "ZkApplied", "ZkStateChanged"] as const) {
    observers.on<Of<typeof kind>>(kind, (o, _node, at) => {
      if (cuts.size > 0) settle(o.server, at);
    });
  }
  context.onFinish((at) => {
    for (const id of [...cuts.keys()]) settle(id, at + 1);
  });
  zooKeeper.onCommitted((_txn, _zxid, at) => judgeQuorum("when it was committed", at));
  observers.on<Of<"ZkTruncated">>("ZkTruncated", (o, _node, at) => {
    judgeCut(o.server, `cut its log to ${zxidText(o.to)}`, at);
  });
  observers.on<Of<"ZkSnapshotInstalled">>("ZkSnapshotInstalled", (o, _node, at) => {
    if (o.source === "leader") judgeCut(o.server, "took over its leader's whole state", at);
  });
  observers.on<Of<"ZkLogLoaded">>("ZkLogLoaded", (o, _node, at) => {
    const { droppedCommitted } = zooKeeper.server(o.server);
    if (droppedCommitted === 0) return;
    judgeQuorum(`after server ${o.server} lost it`, at);
  });

  /**
   * What a server gives up because its leader says so. A synchronisation cuts and appends in one
   * instant: proposals that the leader had outstanding come again behind the TRUNC [ZAB-21], and may
   * have been committed by others meanwhile. So the cut is judged by what stands afterwards.
   */
  function judgeCut(id: number, did: string, at: Micros): void {
    check.evaluated++;
    const zxid = zooKeeper.server(id).droppedCommitted;
    if (zxid !== 0) cuts.set(id, { zxid, hash: zooKeeper.lastCommittedHash, did, at });
  }

  function settle(id: number, at: Micros): void {
    const cut = cuts.get(id);
    if (cut === undefined || cut.at === at) return;
    cuts.delete(id);
    if (zooKeeper.server(id).holds(cut.zxid, cut.hash)) return;
    const saw = `server ${id} ${cut.did} and lost ${zxidText(cut.zxid)}, which was committed`;
    check.fail(cut.at, saw, { brokers: [id] });
  }

  /** A commit is on the disks of a quorum [ZAB-31], and no loss that is none of its own undoes it. */
  function judgeQuorum(when: string, at: Micros): void {
    check.evaluated++;
    const { lastCommitted } = zooKeeper;
    if (told === lastCommitted) return;
    const holders = zooKeeper.holders();
    if (holders.length >= quorum) return;
    told = lastCommitted;
    const lacking = facts.zookeeperServers.filter((id) => !holders.includes(id));
    const saw = `${when}, ${zxidText(lastCommitted)} was in ${holders.length} of ${size} logs`;
    check.fail(at, saw, { brokers: lacking });
  }
}

export function watchZooKeeperReads(context: CheckContext): void {
  const check = context.check("ZabMonotonicReads");
  const seen = new Map<number, number>();
  context.observers.on<Of<"ZkClientAnswer">>("ZkClientAnswer", (o, _node, at) => {
    if (o.session === 0 || o.zxid <= 0) return;
    check.evaluated++;
    const last = seen.get(o.session) ?? 0;
    if (o.zxid >= last) seen.set(o.session, o.zxid);
    else {
      const saw =
        `session 0x${o.session.toString(16)} got an answer as of ${zxidText(o.zxid)} ` +
        `after one as of ${zxidText(last)}`;
      check.fail(at, saw);
    }
  });
}
