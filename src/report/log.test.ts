/** Lines of the logs, from observations made by hand on a world that does nothing. */
import { describe, expect, test } from "vitest";
import { type Observation, World } from "../sim/index.ts";
import { formatObservation } from "./full-log.ts";
import { legend, logTime, ShortLog } from "./short-log.ts";

function shortLog() {
  const world = new World({ seed: "1" });
  const factory = () => ({});
  for (const name of ["zk1", "zk2"]) world.addNode({ name, group: "zookeeper", factory });
  for (const name of ["b1", "b2"]) world.addNode({ name, group: "broker", factory });
  const phases: { name: string }[] = [];
  const lines: string[] = [];
  new ShortLog({ world, phases }, (line) => lines.push(line));
  const say = (
    at: number,
    name: string,
    fact: { readonly kind: string; readonly [more: string]: unknown },
  ) => {
    world.now = at;
    world.observe(fact as Observation, world.nodeNamed(name)?.id ?? -1);
  };
  return { say, phases, lines: () => lines.slice(legend().length).join("\n") };
}

describe("short log", () => {
  test("a leader is lost and found, one column per server", () => {
    const { say, phases, lines } = shortLog();
    for (const name of ["zk1", "zk2", "b1", "b2"])
      say(0, name, { kind: "NodeStarted", incarnation: 1 });
    say(200_000, "zk1", { kind: "ZkStateChanged", server: 1, state: "FOLLOWING" });
    say(200_010, "zk2", { kind: "ZkStateChanged", server: 2, state: "LEADING" });
    say(210_000, "zk2", {
      kind: "ZkLeaderServing",
      server: 2,
      epoch: 1,
      lastZxid: 0,
      prefixHash: 0,
    });
    say(400_000, "b1", { kind: "BrokerRegistered", broker: 1, brokerEpoch: 5 });
    say(400_500, "b1", { kind: "ControllerElected", broker: 1, controllerEpoch: 1 });
    const orders = { topic: "orders", partition: 0 };
    say(900_000, "b1", {
      kind: "BecameLeader",
      broker: 1,
      ...orders,
      leaderEpoch: 0,
      partitionEpoch: 0,
      isr: [1, 2],
      logEndOffset: 0,
      highWatermark: 0,
      prefixHash: 0,
    });
    say(900_100, "b2", {
      kind: "BecameFollower",
      broker: 2,
      ...orders,
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      logEndOffset: 0,
    });
    phases.push({ name: "boot" });
    const batch = { baseOffset: 0, lastOffsetDelta: 16 };
    say(1_000_000, "b1", { kind: "LogAppended", broker: 1, ...orders, batch, asLeader: true });
    say(3_000_000, "b1", {
      kind: "IsrCommitted",
      broker: 1,
      ...orders,
      isr: [1],
      leaderEpoch: 0,
      partitionEpoch: 1,
    });
    const fault = { kind: "kill", at: 4_000_000, duration: 1_000_000, target: "b1" };
    say(4_000_000, "b1", { kind: "FaultStarted", fault, targets: ["b1"] });
    say(4_000_000, "b1", { kind: "NodeKilled" });
    expect(lines()).toMatchInlineSnapshot(`
      "    seconds node    zk1 zk2 | b1          b2          |
         0.000000 zk1   ^ ?   #   | #           #           | started
         0.000000 zk2   ^ ?   ?   | #           #           | started
         0.000000 b1    ^ ?   ?   | ~           #           | started
         0.000000 b2    ^ ?   ?   | ~           ~           | started
         0.200000 zk1   \\ \\   ?   | ~           ~           | follows
         0.200010 zk2   o \\   /0  | ~           ~           | is elected
         0.210000 zk2   / \\   /1  | ~           ~           | leads epoch 1 from 0x000000000
         0.400000 b1    R \\   /1  | .           ~           | registered, broker epoch 5
         0.400500 b1    * \\   /1  | *           ~           | controller of epoch 1
         0.900000 b1    / \\   /1  | */0:0       ~           | orders-0 leads epoch 0, ISR 1,2
         0.900100 b2    \\ \\   /1  | */0:0       ~\\0:0       | orders-0 follows b1 in epoch 0
                  ---- boot ends ----
         3.000000 b1    - \\   /1  | */17:0      ~\\0:0       | orders-0 ISR 1,2 -> 1
         4.000000 b1    ! \\   /1  | *1          ~           | kill b1 for 1s
         4.000000 b1    # \\   /1  | #           ~           | killed"
    `);
  });

  test("an ISR that is the same is no transition", () => {
    const { say, lines } = shortLog();
    const before = lines();
    say(1, "b1", {
      kind: "IsrCommitted",
      broker: 1,
      topic: "t",
      partition: 0,
      isr: [],
      leaderEpoch: 0,
    });
    expect(lines()).toBe(before);
  });

  test("the legend explains every mark", () => {
    expect(legend().join("\n")).toMatchInlineSnapshot(`
      "marks
        ^  started                        #  killed or ended                X  power lost
        =  paused                         >  resumed                        ?  ZooKeeper: looking for a leader
        /  leads                          \\  follows                        *  controller
        R  registered                     E  session expired                <  log truncated
        +  ISR grew                       -  ISR shrank                     !  fault begins
        ;  fault ends                     o  anything else
      zk    ?  looking   \\  following   /3  leading epoch 3   #  down   X  no power   =  paused
      b     ~  not registered   .  registered   *  controller, then the number of partitions it leads;
            in lines about one partition: / leader or \\ follower, log end offset:high watermark"
    `);
  });
});

describe("full log", () => {
  const lines: readonly (readonly [Observation, string])[] = [
    [
      {
        kind: "ZkApplied",
        server: 1,
        zxid: 4294967297,
        index: 1,
        prefixHash: -1,
        txn: { type: "delete", path: "/x" },
      } as Observation,
      "ZkApplied            zxid=0x100000001 index=1 prefixHash=ffffffff delete /x",
    ],
    [
      {
        kind: "LogTruncated",
        broker: 1,
        topic: "orders",
        partition: 2,
        from: 9,
        to: 4,
        reason: "divergence",
      } as Observation,
      "LogTruncated         orders-2 from=9 to=4 reason=divergence",
    ],
    [
      {
        kind: "RecordAcknowledged",
        producer: "p1",
        topic: "t",
        partition: 0,
        key: "a b",
        value: null,
        acks: -1,
        offset: 3,
      } as Observation,
      'RecordAcknowledged   t-0 producer=p1 key="a b" value=null acks=-1 offset=3',
    ],
    [{ kind: "NodeKilled" }, "NodeKilled"],
  ];
  test.each(lines)("%o", (observation, line) => expect(formatObservation(observation)).toBe(line));
});

test("times are aligned seconds with six digits", () => {
  expect([logTime(0), logTime(12_482_031), logTime(3_600_000_000)]).toEqual([
    "   0.000000",
    "  12.482031",
    "3600.000000",
  ]);
});
