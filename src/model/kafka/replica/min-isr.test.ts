import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { TestCluster } from "./testing/cluster.ts";

type Options = ConstructorParameters<typeof TestCluster>[0];

const MIN_ISR_2 = { "min.insync.replicas": "2" };

function running(options: Options = {}): TestCluster {
  const cluster = new TestCluster(options);
  cluster.elect(1);
  cluster.run(100);
  return cluster;
}

describe("ISR shrink and expand [A.8]", () => {
  it("a follower that stops fetching leaves between 1.0 and 1.5 lag times later [REP-52]", () => {
    const cluster = running();
    const stopped = cluster.world.now;
    cluster.kill(3);
    cluster.produce(1, "a", 1);
    cluster.run(60_000);
    const left = cluster.facts.find(({ fact }) => fact.kind === "IsrCommitted");
    expect(left!.fact).toMatchObject({ broker: 1, isr: [1, 2], partitionEpoch: 1 });
    expect(left!.at - stopped).toBeGreaterThan(29_000_000);
    expect(left!.at - stopped).toBeLessThan(46_000_000);
    // What waited for it is committed at once [REP-55].
    expect(cluster.log(1).highWatermark).toBe(1);
  });

  it("does not leave while it has everything, silent as it is [REP-51]", () => {
    const cluster = running();
    cluster.kill(3);
    cluster.run(120_000);
    expect(cluster.truth[0]!.isr).toEqual([1, 2, 3]);
  });

  it("acks=all goes on with two, is refused with one [REP-32.2]; 3 comes back", () => {
    const cluster = running({ topic: MIN_ISR_2 });
    cluster.kill(3);
    cluster.produce(1, "a", 1);
    cluster.run(60_000);
    const [two] = cluster.produce(1, "b");
    cluster.run(20);
    expect(two!.answer!.errorCode).toBe(ErrorCode.NONE);
    cluster.kill(2);
    const [pending] = cluster.produce(1, "c", -1, 0, 90_000);
    cluster.run(60_000);
    expect(cluster.truth[0]!.isr).toEqual([1]);
    const [one] = cluster.produce(1, "d");
    expect(one!.answer!.errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
    const [weak] = cluster.produce(1, "e", 1);
    expect(weak!.answer!.errorCode).toBe(ErrorCode.NONE);
    // The high watermark stands still, and so do consumers (since 3.7) [C-3].
    expect(cluster.log(1).highWatermark).toBe(2);
    cluster.run(31_000);
    expect(pending!.answer!.errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT);

    cluster.start(3);
    cluster.tell(3);
    cluster.run(2000);
    expect(cluster.truth[0]!.isr).toEqual([1, 3]);
    expect(cluster.consume(1)).toBe("a b c e");
  });

  it("before 3.7 the high watermark advances below min ISR [REP-41, C-15]", () => {
    const cluster = running({
      topic: MIN_ISR_2,
      config: { "feature.hwGatedByMinIsr": false },
    });
    for (const id of [2, 3]) cluster.kill(id);
    const [pending] = cluster.produce(1, "a", -1, 0, 90_000);
    cluster.run(60_000);
    expect(cluster.log(1).highWatermark).toBe(1);
    expect(pending!.answer!.errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND);
  });

  it("min ISR above the replication factor is capped since 3.7 [REP-32.2]", () => {
    const send = (config: Options) => {
      const cluster = running({ ...config, topic: { "min.insync.replicas": "4" } });
      const [sent] = cluster.produce(1, "a");
      cluster.run(20);
      return sent!.answer!.errorCode;
    };
    expect(send({})).toBe(ErrorCode.NONE);
    expect(send({ config: { "feature.effectiveMinIsrCapped": false } })).toBe(
      ErrorCode.NOT_ENOUGH_REPLICAS,
    );
  });
});

describe("pending changes [REP-44, ISR-6, ISR-7]", () => {
  /** 3 has left the ISR and is back; its joining waits for the controller. */
  function joining(options: Options = {}): TestCluster {
    const cluster = running(options);
    cluster.kill(3);
    cluster.produce(1, "a", 1);
    cluster.run(60_000);
    cluster.approve = () => null;
    cluster.start(3);
    cluster.tell(3);
    cluster.run(2000);
    expect(cluster.unanswered).toHaveLength(1);
    return cluster;
  }

  it("the high watermark waits for a member whose joining is pending", () => {
    const cluster = joining();
    cluster.kill(3);
    cluster.produce(1, "b", 1);
    cluster.run(100);
    expect(cluster.partition(1).isr).toEqual([1, 2]);
    expect(cluster.partition(1).maximalIsr).toEqual([1, 2, 3]);
    expect(cluster.log(1).highWatermark).toBe(1);
  });

  it("variant high-watermark-over-committed-isr does not wait", () => {
    const cluster = joining({ variant: "high-watermark-over-committed-isr" });
    cluster.kill(3);
    cluster.produce(1, "b", 1);
    cluster.run(100);
    expect(cluster.log(1).highWatermark).toBe(2);
  });

  it("one proposal at a time; refusal gives up, a fenced one stays pending [ISR-6]", () => {
    const cluster = joining();
    const first = cluster.unanswered[0]!;
    cluster.answer(first.proposal, first.answered, ErrorCode.INELIGIBLE_REPLICA);
    expect(cluster.partition(1).pending).toBeNull();
    cluster.run(1000);
    // Proposed again with the next fetch.
    const second = cluster.unanswered[1]!;
    cluster.answer(second.proposal, second.answered, ErrorCode.FENCED_LEADER_EPOCH);
    expect(cluster.partition(1).pending).not.toBeNull();
    cluster.run(5000);
    expect(cluster.unanswered).toHaveLength(2);
    cluster.elect(1, [1, 2]);
    expect(cluster.partition(1).pending).toBeNull();
  });

  it("an answer of an older state is ignored [ISR-6]", () => {
    const cluster = joining();
    const { answered } = cluster.unanswered[0]!;
    const old = { errorCode: 0, leaderId: 1, isr: [1], partitionEpoch: 0 };
    answered({ ...old, leaderEpoch: 0 });
    answered({ ...old, leaderEpoch: 7, partitionEpoch: 9 });
    expect(cluster.partition(1)).toMatchObject({ isr: [1, 2], partitionEpoch: 1 });
    expect(cluster.partition(1).pending).not.toBeNull();
  });

  it("an answer of the present partition epoch is the newest there is [ISR-6]", () => {
    const cluster = joining();
    const { answered } = cluster.unanswered[0]!;
    answered({ errorCode: 0, leaderId: 1, leaderEpoch: 0, isr: [1, 2], partitionEpoch: 1 });
    expect(cluster.partition(1)).toMatchObject({ isr: [1, 2], partitionEpoch: 1, pending: null });
    expect(cluster.factsOf("IsrCommitted", 1).at(-1)).toMatchObject({ isr: [1, 2] });
  });

  it("an answer finds a log directory that failed meanwhile: nothing is led any more [REP-10]", () => {
    const cluster = joining();
    const { proposal, answered } = cluster.unanswered[0]!;
    cluster.member(1).node.disk.failing = true;
    cluster.produce(1, "b", 1);
    const offline = { offline: true, isLeader: false, isr: [], pending: null, partitionEpoch: 1 };
    expect(cluster.partition(1)).toMatchObject(offline);
    expect(cluster.partition(1)).toMatchObject({ replicas: [], leaderEpochStartOffset: -1 });
    const before = cluster.factsOf("IsrCommitted").length;
    cluster.answer(proposal, answered);
    expect(cluster.partition(1)).toMatchObject(offline);
    cluster.answer(proposal, answered, ErrorCode.UNKNOWN_SERVER_ERROR);
    cluster.run(100_000);
    expect(cluster.unanswered).toHaveLength(1);
    expect(cluster.factsOf("IsrCommitted")).toHaveLength(before);
  });

  it("an answer for a replica that was deleted meanwhile changes nothing [ISR-6]", () => {
    const cluster = joining();
    const partition = cluster.partition(1);
    const { proposal, answered } = cluster.unanswered[0]!;
    cluster.manager(1).stopReplicas({
      controllerId: 0,
      controllerEpoch: 1,
      brokerEpoch: -1,
      topicStates: [
        {
          topicName: "t",
          partitionStates: [{ partitionIndex: 0, leaderEpoch: -2, deletePartition: true }],
        },
      ],
    });
    const before = cluster.factsOf("IsrCommitted").length;
    cluster.answer(proposal, answered);
    expect(partition).toMatchObject({ deleted: true, partitionEpoch: 1 });
    expect(cluster.factsOf("IsrCommitted")).toHaveLength(before);
  });

  it("an unknown error is answered with the same proposal [ISR-6]", () => {
    const cluster = joining();
    const { proposal, answered } = cluster.unanswered[0]!;
    cluster.answer(proposal, answered, ErrorCode.UNKNOWN_SERVER_ERROR);
    expect(cluster.unanswered[1]!.proposal).toBe(proposal);
  });

  it("a follower that is not alive is not proposed since 3.3 [REP-53]", () => {
    const join = (config: Options) => {
      const cluster = running(config);
      cluster.kill(3);
      cluster.produce(1, "a", 1);
      cluster.run(60_000);
      cluster.start(3);
      cluster.tell(3);
      cluster.alive.delete(3);
      cluster.run(2000);
      return cluster.truth[0]!.isr;
    };
    expect(join({})).toEqual([1, 2]);
    const old = { config: { "feature.isrEligibilityByLiveness": false } };
    expect(join(old)).toEqual([1, 2, 3]);
  });
});

describe("variants of the commit rule", () => {
  it("acknowledge-before-commit answers acks=all at once", () => {
    const [sent] = running({ variant: "acknowledge-before-commit" }).produce(1, "a");
    expect(sent!.answer!.errorCode).toBe(ErrorCode.NONE);
  });

  it("expose-uncommitted serves consumers up to the log end", () => {
    const cluster = running({ variant: "expose-uncommitted" });
    cluster.produce(1, "a", 1);
    expect(cluster.consume(1)).toBe("a");
    expect(cluster.factsOf("FetchServed")).toMatchObject([{ lastOffset: 0, highWatermark: 0 }]);
  });

  it("high-watermark-ignores-isr commits what only the leader has", () => {
    const cluster = running({ variant: "high-watermark-ignores-isr" });
    cluster.produce(1, "a", 1);
    expect(cluster.log(1).highWatermark).toBe(1);
  });

  it("high-watermark-regresses lets an in-sync replica pull it down", () => {
    const cluster = running({ variant: "high-watermark-regresses" });
    cluster.produce(1, "a b c d");
    cluster.run(1000);
    cluster.powerOff(2);
    cluster.member(2).node.disk.wipe();
    cluster.start(2);
    cluster.tell(2);
    cluster.run(1000);
    const falls = cluster.factsOf("HighWatermarkMoved", 1).filter(({ from, to }) => to < from);
    expect(falls).not.toEqual([]);
  });

  it("expand-isr-without-catching-up proposes a follower on its first fetch", () => {
    const cluster = running({ variant: "expand-isr-without-catching-up" });
    cluster.kill(3);
    cluster.produce(1, "a", 1);
    cluster.run(60_000);
    cluster.approve = () => null;
    cluster.member(3).node.disk.wipe();
    cluster.start(3);
    cluster.fetch(1, { fetchOffset: 0, currentLeaderEpoch: 0 }, 3);
    expect(cluster.factsOf("IsrProposed").at(-1)).toMatchObject({ proposed: [1, 2, 3] });
    expect(cluster.partition(1).replica(3)!.logEndOffset).toBe(0);
  });
});
