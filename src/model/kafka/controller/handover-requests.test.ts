/** The requests of a controller that takes leadership and replicas off a broker [CTL-82..84, CTL-96]. */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../protocol/errors.ts";
import { booted, epochOf, reassign, withTopics } from "./testing/tapped-cluster.ts";

describe("controlled shutdown [CTL-96]", () => {
  it("is refused to the unknown and to former lives, and by those that are not active", () => {
    const { cluster, tap } = withTopics();
    const epoch = epochOf(cluster, 4);
    const ask = (brokerId: number, brokerEpoch: number, to: number) =>
      cluster.ask(to, "ControlledShutdown", { brokerId, brokerEpoch });
    const refused = (errorCode: number) => ({ errorCode, remainingPartitions: [] });
    expect(ask(9, epoch, 1)).toEqual(refused(ErrorCode.BROKER_NOT_AVAILABLE));
    expect(ask(4, epoch - 1, 1)).toEqual(refused(ErrorCode.STALE_BROKER_EPOCH));
    expect(ask(4, epoch, 2)).toEqual(refused(ErrorCode.NOT_CONTROLLER));
    expect(tap.take()).toEqual({});
  });

  it("moves what has other replicas; asked again, says it again; names what is left", () => {
    const { cluster, tap } = withTopics();
    cluster.createAssigned("s", [4]);
    cluster.run(1);
    tap.take();
    const ask = (brokerId: number, brokerEpoch: number) => {
      const answer = cluster.ask(1, "ControlledShutdown", { brokerId, brokerEpoch });
      cluster.run(1);
      return answer;
    };
    const moved = { errorCode: ErrorCode.NONE, remainingPartitions: [] };
    expect(ask(4, epochOf(cluster, 4))).toEqual(moved);
    expect(tap.take()).toEqual({
      b1: [
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b2: [
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3,4",
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b3: [
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3,4",
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4, u-1 3/1/1 [3] of 3,4; leaders 2,3",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b4: [
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        "UpdateMetadata u-0 1/1/1 [1] of 4,1 offline 4; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
        "StopReplica t-0 epoch 0, u-1 epoch 0",
      ],
    });
    expect(ask(4, epochOf(cluster, 4) + 1)).toEqual(moved);
    expect(tap.take()).toEqual({
      b1: [
        "LeaderAndIsr u-0 1/1/1 [1] of 4,1; leaders 1",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b2: [
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b3: [
        "LeaderAndIsr t-0 2/1/1 [2,3] of 2,3,4, u-1 3/1/1 [3] of 3,4; leaders 2,3",
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
      ],
      b4: [
        "UpdateMetadata t-0 2/1/1 [2,3] of 2,3,4 offline 4, u-0 1/1/1 [1] of 4,1 offline 4, u-1 3/1/1 [3] of 3,4 offline 4; live 1,2,3,4",
        "StopReplica t-0 epoch 1, u-0 epoch 1, u-1 epoch 1",
      ],
    });
    expect(ask(1, epochOf(cluster, 1))).toEqual({
      errorCode: ErrorCode.NONE,
      remainingPartitions: [{ topicName: "u", partitionIndex: 0 }],
    });
    expect(tap.take()).toEqual({});
    const served = cluster.of("ControlledShutdownServed");
    expect(served.map(({ stopping, remaining }) => [stopping, remaining])).toEqual([
      [4, 0],
      [4, 0],
      [1, 1],
    ]);
  });
});

describe("reassignment", () => {
  it("phase A and phase B [CTL-83] [CTL-84]", () => {
    const { cluster, tap } = withTopics();
    reassign(cluster, [3, 4, 1], 5);
    expect(tap.take()).toEqual({
      b1: [
        "LeaderAndIsr t-0 2/1/1 [2,3,4] of 3,4,1,2 +1 -2 new; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "LeaderAndIsr t-0 2/1/1 [2,3,4] of 3,4,1,2 +1 -2 new; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/2 [2,3,4,1] of 3,4,1,2; live 1,2,3,4",
        "LeaderAndIsr t-0 3/2/3 [2,3,4,1] of 3,4,1; leaders 3",
        "UpdateMetadata t-0 3/2/3 [2,3,4,1] of 3,4,1; live 1,2,3,4",
        "LeaderAndIsr t-0 3/3/4 [3,4,1] of 3,4,1; leaders 3",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
      ],
      b2: [
        "LeaderAndIsr t-0 2/1/1 [2,3,4] of 3,4,1,2 +1 -2; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/2 [2,3,4,1] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 3/2/3 [2,3,4,1] of 3,4,1; live 1,2,3,4",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
        "StopReplica t-0 epoch 2",
        "StopReplica t-0 epoch 3 delete",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
      ],
      "b3 b4": [
        "LeaderAndIsr t-0 2/1/1 [2,3,4] of 3,4,1,2 +1 -2; leaders 2",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/1 [2,3,4] of 3,4,1,2; live 1,2,3,4",
        "UpdateMetadata t-0 2/1/2 [2,3,4,1] of 3,4,1,2; live 1,2,3,4",
        "LeaderAndIsr t-0 3/2/3 [2,3,4,1] of 3,4,1; leaders 3",
        "UpdateMetadata t-0 3/2/3 [2,3,4,1] of 3,4,1; live 1,2,3,4",
        "LeaderAndIsr t-0 3/3/4 [3,4,1] of 3,4,1; leaders 3",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
        "UpdateMetadata t-0 3/3/4 [3,4,1] of 3,4,1; live 1,2,3,4",
      ],
    });
  });

  it("replaced and cancelled: what is not needed any more is taken down [CTL-82]", () => {
    const { cluster, tap } = booted({ brokers: 5 });
    cluster.createAssigned("t", [1, 2]);
    for (const id of [4, 5]) cluster.isolate(cluster.broker(id), [cluster.broker(1)]);
    cluster.run(1);
    tap.take();
    reassign(cluster, [2, 5], 1);
    expect(tap.take()).toEqual({
      "b1 b2": [
        "LeaderAndIsr t-0 1/1/1 [1,2] of 2,5,1 +5 -1; leaders 1",
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,5,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,5,1; live 1,2,3,4,5",
      ],
      b3: [
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,5,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,5,1; live 1,2,3,4,5",
      ],
      b4: ["UpdateMetadata t-0 1/1/1 [1,2] of 2,5,1; live 1,2,3,4,5"],
      b5: ["LeaderAndIsr t-0 1/1/1 [1,2] of 2,5,1 +5 -1 new; leaders 1"],
    });
    reassign(cluster, [2, 4], 1);
    expect(tap.take()).toEqual({
      "b1 b2": [
        "LeaderAndIsr t-0 1/1/1 [1,2] of 2,4,1 +4 -1; leaders 1",
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,4,1; live 1,2,3,4,5",
        "LeaderAndIsr t-0 1/2/2 [1,2] of 2,4,1 +4 -1; leaders 1",
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,4,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,4,1; live 1,2,3,4,5",
      ],
      b3: [
        "UpdateMetadata t-0 1/1/1 [1,2] of 2,4,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,4,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,4,1; live 1,2,3,4,5",
      ],
    });
    reassign(cluster, null, 1);
    expect(tap.take()).toEqual({
      "b1 b2": [
        "LeaderAndIsr t-0 1/2/2 [1,2] of 2,1; leaders 1",
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,1; live 1,2,3,4,5",
        "LeaderAndIsr t-0 1/3/3 [1,2] of 2,1; leaders 1",
        "UpdateMetadata t-0 1/3/3 [1,2] of 2,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/3/3 [1,2] of 2,1; live 1,2,3,4,5",
      ],
      b3: [
        "UpdateMetadata t-0 1/2/2 [1,2] of 2,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/3/3 [1,2] of 2,1; live 1,2,3,4,5",
        "UpdateMetadata t-0 1/3/3 [1,2] of 2,1; live 1,2,3,4,5",
      ],
    });
    expect(cluster.history("t-0")).toEqual([
      "1/0/0 [1,2]",
      "1/1/1 [1,2]",
      "1/2/2 [1,2]",
      "1/3/3 [1,2]",
    ]);
  });
});
