/** AlterPartition and notifications of ISR changes, asked of the controller of a whole cluster. */
import { describe, expect, it } from "vitest";
import type { Flow } from "../../../sim/index.ts";
import { ZooKeeperSession } from "../../zookeeper/client.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { type AlterPartitionRequest, RECOVERED, RECOVERING } from "../protocol/messages.ts";
import { TestCluster } from "../testing/test-cluster.ts";
import { ISR_CHANGES, partitionStatePath } from "../zookeeper/paths.ts";
import { decodeTopic, encodeIsrChange, encodePartitionState } from "../zookeeper/znodes.ts";

type Proposal = AlterPartitionRequest["topics"][number]["partitions"][number];

/** Broker 1 is controller; 2 leads t-0 and 3 leads u-0, each with [2,3,4] or [3,4,2] in sync. */
function booted(options: ConstructorParameters<typeof TestCluster>[0] = {}): TestCluster {
  const cluster = new TestCluster({ brokers: 4, ...options });
  cluster.boot();
  cluster.createAssigned("t", [2, 3, 4]);
  cluster.createAssigned("u", [3, 4, 2]);
  cluster.run(1);
  return cluster;
}

function topicId(cluster: TestCluster, topic: string): string {
  return decodeTopic(cluster.znodes.get(`/brokers/topics/${topic}`) as string).topicId;
}

function epochOf(cluster: TestCluster, broker: number): number {
  const registered = cluster.of("BrokerRegistered").filter((fact) => fact.broker === broker);
  return registered.at(-1)?.brokerEpoch ?? -1;
}

const AGREED: Proposal = {
  partitionIndex: 0,
  leaderEpoch: 0,
  newIsr: [2, 3],
  leaderRecoveryState: RECOVERED,
  partitionEpoch: 0,
};

/** Asks as broker 2; `change` makes the proposal different from one that is accepted. */
function alter(cluster: TestCluster, change: Partial<Proposal> = {}, topic = "t") {
  const response = cluster.ask(1, "AlterPartition", {
    brokerId: 2,
    brokerEpoch: epochOf(cluster, 2),
    topics: [{ topicId: topicId(cluster, topic), partitions: [{ ...AGREED, ...change }] }],
  });
  const [answer] = response.topics[0]?.partitions ?? [];
  if (answer === undefined) throw new Error("no answer for the partition");
  return answer;
}

/** Runs a flow with a session of its own, as a tool that writes to ZooKeeper. */
function withZooKeeper(cluster: TestCluster, run: (session: ZooKeeperSession) => Flow<unknown>) {
  let done = false;
  const node = cluster.world.addNode({
    name: `tool ${cluster.world.nodes.length}`,
    group: "client",
    factory: (context) => {
      const servers = cluster.zooKeepers.map(({ id }) => id);
      const options = { servers, sessionTimeoutMs: 6_000, onStateChange() {} };
      const session = new ZooKeeperSession(context, options);
      context.spawn(
        "tool",
        (function* (): Flow<void> {
          yield* session.whenConnected();
          yield* run(session);
          done = true;
        })(),
      );
      return {};
    },
  });
  cluster.world.start(node);
  cluster.until(() => done, 30);
}

describe("AlterPartition as a whole [ISR-2]", () => {
  it("is served by the active controller only, and for the sender's present life", () => {
    const cluster = booted();
    const ask = (to: number, brokerId: number, brokerEpoch: number) =>
      cluster.ask(to, "AlterPartition", { brokerId, brokerEpoch, topics: [] });
    const epoch = epochOf(cluster, 2);
    expect(ask(3, 2, epoch)).toEqual({ errorCode: ErrorCode.NOT_CONTROLLER, topics: [] });
    const stale = { errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] };
    expect(ask(1, 2, epoch - 1)).toEqual(stale);
    expect(ask(1, 2, epoch + 1)).toEqual(stale);
    expect(ask(1, 9, epoch)).toEqual(stale);
    expect(ask(1, 2, epoch)).toEqual({ errorCode: ErrorCode.NONE, topics: [] });
  });
});

describe("proposals for a partition [ISR-3]", () => {
  const REFUSED = {
    partitionIndex: 0,
    leaderId: -1,
    leaderEpoch: -1,
    isr: [],
    leaderRecoveryState: RECOVERED,
    partitionEpoch: -1,
  };

  it("1: of what is unknown", () => {
    const cluster = booted();
    expect(alter(cluster, { partitionIndex: 1 })).toEqual({
      ...REFUSED,
      partitionIndex: 1,
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    });
    const response = cluster.ask(1, "AlterPartition", {
      brokerId: 2,
      brokerEpoch: epochOf(cluster, 2),
      topics: [{ topicId: "no such topic", partitions: [AGREED] }],
    });
    expect(response.topics).toEqual([
      {
        topicId: "no such topic",
        partitions: [{ ...REFUSED, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }],
      },
    ]);
  });

  it("2, 3, 5: of another epoch than the controller knows", () => {
    const cluster = booted();
    cluster.world.kill(cluster.broker(4));
    cluster.until(() => cluster.state("t-0") === "2/1/1 [2,3]", 60);
    cluster.run(1);
    const code = (change: Partial<Proposal>) => alter(cluster, change).errorCode;
    const one = { newIsr: [2], leaderEpoch: 1, partitionEpoch: 1 };
    expect(code({ ...one, partitionEpoch: 2 })).toBe(ErrorCode.NOT_CONTROLLER);
    expect(code({ ...one, leaderEpoch: 2 })).toBe(ErrorCode.NOT_CONTROLLER);
    expect(code({ ...one, leaderEpoch: 0 })).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(code({ ...one, partitionEpoch: 0 })).toBe(ErrorCode.INVALID_UPDATE_VERSION);
    expect(code({ ...one, leaderEpoch: 0, partitionEpoch: 2 })).toBe(ErrorCode.NOT_CONTROLLER);
    expect(cluster.state("t-0")).toBe("2/1/1 [2,3]");
    expect(code(one)).toBe(ErrorCode.NONE);
    expect(cluster.state("t-0")).toBe("2/1/2 [2]");
  });

  it("4: a repetition is answered with what is known, however old it is", () => {
    const cluster = booted();
    const first = alter(cluster);
    expect(first).toEqual({
      partitionIndex: 0,
      errorCode: ErrorCode.NONE,
      leaderId: 2,
      leaderEpoch: 0,
      isr: [2, 3],
      leaderRecoveryState: RECOVERED,
      partitionEpoch: 1,
    });
    expect(alter(cluster)).toEqual(first);
    expect(alter(cluster, { newIsr: [3, 2] })).toEqual(first);
    expect(cluster.history("t-0")).toEqual(["2/0/0 [2,3,4]", "2/0/1 [2,3]"]);
    for (const newIsr of [[2], [2, 4], [2, 3, 4]]) {
      expect(alter(cluster, { newIsr }).errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION);
    }
    const recovering = { leaderRecoveryState: RECOVERING };
    expect(alter(cluster, recovering).errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION);
  });

  it("6: a leader that has recovered does not recover again", () => {
    const cluster = booted();
    const recovering = { leaderRecoveryState: RECOVERING };
    for (const newIsr of [[2], [2, 3]]) {
      const refused = { ...REFUSED, errorCode: ErrorCode.INVALID_REQUEST };
      expect(alter(cluster, { ...recovering, newIsr })).toEqual(refused);
    }
    expect(cluster.history("t-0")).toHaveLength(1);
  });

  it("7: members live, since 3.3 [C-28]", () => {
    const since = booted();
    const shutDown = (cluster: TestCluster, brokerId: number) =>
      cluster.ask(1, "ControlledShutdown", {
        brokerId,
        brokerEpoch: epochOf(cluster, brokerId),
      });
    const refused = { ...REFUSED, errorCode: ErrorCode.INELIGIBLE_REPLICA };
    expect(alter(since, { newIsr: [2, 3, 9] })).toEqual(refused);
    shutDown(since, 4);
    expect(since.state("t-0")).toBe("2/1/1 [2,3]");
    const now = { leaderEpoch: 1, partitionEpoch: 1 };
    expect(alter(since, { ...now, newIsr: [2, 4] })).toEqual(refused);
    expect(alter(since, { ...now, newIsr: [2] }).errorCode).toBe(ErrorCode.NONE);
    const before = booted({ config: { "feature.isrEligibilityByLiveness": false } });
    expect(alter(before, { newIsr: [2, 3, 9] })).toMatchObject({ isr: [2, 3, 9] });
  });

  it("8: writes what was proposed, with its own epoch, if nobody else has written", () => {
    const cluster = booted();
    alter(cluster);
    const path = partitionStatePath("t", 0);
    expect(JSON.parse(cluster.znodes.get(path) as string)).toEqual({
      version: 1,
      leader: 2,
      leader_epoch: 0,
      controller_epoch: 1,
      isr: [2, 3],
    });
    withZooKeeper(cluster, function* (session) {
      yield* session.setData(path, cluster.znodes.get(path) as string, 1);
    });
    expect(alter(cluster, { newIsr: [2], partitionEpoch: 1 })).toEqual({
      ...REFUSED,
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    });
  });
});

describe("a request for several partitions [ISR-4]", () => {
  it("is answered in its order, refused and accepted side by side; all brokers hear of it", () => {
    const cluster = booted();
    const response = cluster.ask(1, "AlterPartition", {
      brokerId: 2,
      brokerEpoch: epochOf(cluster, 2),
      topics: [
        {
          topicId: topicId(cluster, "u"),
          partitions: [
            { ...AGREED, partitionIndex: 5 },
            { ...AGREED, newIsr: [3, 4] },
          ],
        },
        { topicId: topicId(cluster, "t"), partitions: [AGREED] },
      ],
    });
    expect(response.topics.map(({ topicId: id }) => id)).toEqual([
      topicId(cluster, "u"),
      topicId(cluster, "t"),
    ]);
    expect(response.topics.map(({ partitions }) => partitions)).toMatchObject([
      [
        { partitionIndex: 5, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
        { partitionIndex: 0, errorCode: ErrorCode.NONE, leaderId: 3, isr: [3, 4] },
      ],
      [{ partitionIndex: 0, errorCode: ErrorCode.NONE, leaderId: 2, isr: [2, 3] }],
    ]);
    cluster.run(1);
    for (const broker of [1, 2, 3, 4]) {
      const request = { topics: null, allowAutoTopicCreation: false };
      const { topics } = cluster.ask(broker, "Metadata", request);
      expect(topics.map(({ partitions }) => partitions[0]?.isrNodes)).toEqual([
        [2, 3],
        [3, 4],
      ]);
    }
  });
});

describe("notifications of leaders that write themselves [ZK-40]", () => {
  it("the controller reads the states anew, tells all brokers and takes the notes away", () => {
    const cluster = booted();
    const path = partitionStatePath("t", 0);
    const state = {
      leader: 2,
      leaderEpoch: 0,
      isr: [2, 4],
      leaderRecoveryState: RECOVERED,
      controllerEpoch: 1,
      partitionEpoch: 1,
    };
    const changed = [
      { topic: "t", partition: 0 },
      { topic: "gone", partition: 0 },
    ];
    withZooKeeper(cluster, function* (session) {
      yield* session.setData(path, encodePartitionState(state), 0);
      const note = encodeIsrChange(changed);
      yield* session.create(`${ISR_CHANGES}/isr_change_`, note, "persistentSequential");
    });
    cluster.run(1);
    expect([...cluster.znodes.keys()].filter((node) => node.includes("isr_change_0"))).toEqual([]);
    const request = { topics: null, allowAutoTopicCreation: false };
    const { topics } = cluster.ask(4, "Metadata", request);
    expect(topics[0]?.partitions[0]?.isrNodes).toEqual([2, 4]);
    // What it has read is what it judges proposals by.
    expect(alter(cluster, { newIsr: [2] }).errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION);
    expect(alter(cluster, { newIsr: [2], partitionEpoch: 1 })).toMatchObject({
      errorCode: ErrorCode.NONE,
      isr: [2],
      partitionEpoch: 2,
    });
  });
});
