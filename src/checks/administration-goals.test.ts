/** Goals of administration and of disks, on observations alone. */
import { describe, expect, test } from "vitest";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import { GOALS, type GoalName, GoalTracker } from "./goals.ts";
import { Stream } from "./testing/stream.ts";

const PLACE = { topic: "orders", partition: 0 } as const;

function track() {
  const stream = new Stream();
  const goals = new GoalTracker(stream.observers, stream.invariants.ghost);
  /** Goals reached by what `act` states, in the order of GOALS. */
  const news = (act: () => unknown): GoalName[] => {
    const before = goals.reached().map(({ name }) => name);
    act();
    return goals.reached().flatMap(({ name }) => (before.includes(name) ? [] : [name]));
  };
  const reassign = (adding: readonly number[], removing: readonly number[], replaces = false) =>
    stream.state({
      kind: "ReassignmentStarted",
      broker: 1,
      ...PLACE,
      replicas: [1, 2, 3, ...adding],
      addingReplicas: adding,
      removingReplicas: removing,
      replaces,
    });
  const elected = (strategy: "reassigned" | "controlledShutdown") =>
    stream.state({
      kind: "PartitionLeaderElected",
      broker: 1,
      ...PLACE,
      strategy,
      leader: 2,
      leaderEpoch: 1,
      isr: [2, 3],
    });
  return { stream, news, reassign, elected };
}

describe("reassignments", () => {
  test("a cancellation is no completion, and another target is neither", () => {
    const { stream, news, reassign, elected } = track();
    const completed = () =>
      stream.state({ kind: "ReassignmentCompleted", broker: 1, ...PLACE, replicas: [1, 2, 3] });
    stream.committed("a");
    expect(news(() => reassign([4], [1]))).toEqual([]);
    expect(news(() => reassign([5], [1], true))).toEqual(["reassignment got another target"]);
    expect(news(() => reassign([], [], true))).toEqual(["reassignment cancelled"]);
    expect(news(completed)).toEqual([]);
    expect(news(() => reassign([4], []))).toEqual(["replica added by a reassignment"]);
    expect(news(() => stream.elect(2, 2))).toContain("controller moved during a reassignment");
    expect(news(completed)).toEqual(["reassignment completed"]);
    expect(news(() => reassign([], [3]))).toEqual(["replica removed by a reassignment"]);
    const moved = "leader moved to the target of a reassignment";
    expect(news(() => elected("reassigned"))).toEqual([moved]);
    const served = { kind: "ControlledShutdownServed", broker: 1, stopping: 2 } as const;
    const leaders = "controlled shutdown left leaders behind";
    expect(news(() => stream.state({ ...served, remaining: 0 }))).toEqual([]);
    expect(news(() => stream.state({ ...served, remaining: 1 }))).toEqual([leaders]);
    expect(news(() => elected("controlledShutdown"))).toEqual([
      "leader moved by a controlled shutdown",
    ]);
  });

  test("one that it waits for dies", () => {
    const { stream, news, reassign } = track();
    stream.committed("a").restart(4, 0);
    expect(news(() => stream.kill(4))).toEqual([]);
    stream.restart(4, 0);
    reassign([4], [1]);
    expect(news(() => stream.kill(4))).toEqual(["added replica failed during its reassignment"]);
  });
});

describe("logs", () => {
  const start = (reason: "retention" | "deleteRecords" | "leader", logStartOffset: number) =>
    ({ kind: "LogStartMoved", broker: 1, ...PLACE, logStartOffset, reason }) as const;

  test("a start that a follower has not reached", () => {
    const { stream, news } = track();
    stream.committed("a").isr(1, 1, [1, 2]).lead(1, 1, [1, 2]).write(1, "b").fetch(2, 2);
    stream.commit(1, 2);
    expect(news(() => stream.state(start("retention", 1)))).not.toContain(
      "retention passed a follower",
    );
    expect(news(() => stream.state(start("leader", 2)))).toEqual([]);
    expect(news(() => stream.state(start("retention", 2)))).toEqual([
      "retention passed a follower",
    ]);
    expect(news(() => stream.state(start("deleteRecords", 2)))).toEqual([
      "records were deleted that a follower lacked",
    ]);
  });

  test("directories that fail, of a leader or altogether", () => {
    const { stream, news } = track();
    const failed = (broker: number, remaining: number) => () =>
      stream.state({ kind: "LogDirectoryFailed", broker, directory: "logs", remaining });
    stream.committed("a");
    expect(news(failed(2, 1))).toEqual([]);
    expect(news(failed(1, 1))).toEqual(["leader lost one of its log directories"]);
    expect(news(failed(1, 0))).toEqual(["broker lost its last log directory"]);
  });
});

describe("topics and settings", () => {
  test("another id, another setting, another generation", () => {
    const { stream, news } = track();
    const ended = (operation: string, error: string | null) => () =>
      stream.state({ kind: "AdminEnded", operation, error } as unknown as KafkaObservation);
    stream.committed("a");
    const applied = (minInsyncReplicas: number) => () =>
      stream.state({
        kind: "TopicConfigApplied",
        broker: 1,
        topic: "orders",
        minInsyncReplicas,
        uncleanLeaderElection: false,
      });
    expect(news(applied(3))).toEqual(["topic settings changed at run time"]);
    expect(news(applied(4))).toEqual(["min.insync.replicas raised above the ISR"]);
    const refused = ended("elect preferred leaders", "PREFERRED_LEADER_NOT_AVAILABLE");
    expect(news(refused)).toEqual(["preferred election refused"]);
    const unclean = ended("elect unclean leaders", null);
    expect(news(unclean)).toEqual(["unclean election on request"]);
    ended("reconfigure b2 from its next start: x=1", null)();
    expect(news(() => stream.kill(1).restart(1, 1))).not.toContain(
      "broker came back with other settings",
    );
    expect(news(() => stream.kill(2).restart(2, 1))).toContain(
      "broker came back with other settings",
    );
    const leader = { broker: 2, ...PLACE, topicId: "another", leaderEpoch: 0, partitionEpoch: 0 };
    const log = { isr: [2], logEndOffset: 0, highWatermark: 0, prefixHash: 0 };
    expect(news(() => stream.state({ kind: "BecameLeader", ...leader, ...log }))).toContain(
      "deleted topic was created again",
    );
  });

  test("the last replica stays in the ISR, fails and comes back", () => {
    const { stream, news } = track();
    stream.committed("a").isr(1, 1, [1]);
    expect(news(() => stream.isr(-1, 2, [1]))).toContain("last replica of the ISR failed");
    expect(news(() => stream.isr(1, 3, [1]))).toContain(
      "last replica of the ISR was elected again",
    );
  });

  test("every goal says what it is and why it matters", () => {
    for (const { says, source } of Object.values(GOALS)) {
      expect(says).toMatch(/\.$/);
      expect(source).toMatch(/^(\[[A-Z]+-\d|C-\d|KIP-\d)/);
    }
    expect(Object.keys(GOALS).length).toBeGreaterThan(60);
  });
});
