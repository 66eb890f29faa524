/**
 * ControllerEpochMonotonic, ControllerFencing and BrokerEpochsMonotonic: fencing of those who command
 * by those who came after them [I-3, I-16, I-5].
 *
 * A write is taken for a controller's when it creates a `state` znode, raises its leader epoch, or is
 * checked against /controller_epoch; the direct ISR write of old versions does none of these
 * [ISR-10].
 */
import type {
  BecameFollower,
  BecameLeader,
  IsrCommitted,
  KafkaObservation,
} from "../../model/kafka/observations.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import {
  CONTROLLER_EPOCH,
  checkedVersion,
  eachZnodeWrite,
  parseState,
  topicPartitionOf,
} from "./znodes.ts";

type Elected = Extract<KafkaObservation, { kind: "ControllerElected" }>;

export function watchControllers(context: CheckContext): void {
  const { kafka, observers } = context;
  const monotonic = context.check("ControllerEpochMonotonic");
  const fencing = context.check("ControllerFencing");
  /** As committed in ZooKeeper; null before the first write. */
  let epoch: number | null = null;
  let version = -1;
  /** Who was elected with which epoch. A winner may learn late that it won, and was deposed since. */
  const electedBy = new Map<number, number>();
  /** Leader epoch of each `state` znode before the transaction at hand. */
  const leaderEpochs = new Map<string, number>();

  observers.on<Elected>("ControllerElected", (o, _node, at) => {
    monotonic.evaluated++;
    const other = electedBy.get(o.controllerEpoch);
    if (other !== undefined) {
      const saw =
        `broker ${o.broker} became controller with epoch ${o.controllerEpoch}, ` +
        `with which broker ${other} had been elected`;
      monotonic.fail(at, saw, { brokers: [o.broker, other] });
    }
    electedBy.set(o.controllerEpoch, o.broker);
  });

  kafka.zooKeeper.onCommitted((txn, _zxid, at) => {
    const checked = checkedVersion(txn);
    if (checked !== null) {
      fencing.evaluated++;
      if (version >= 0 && checked !== version) {
        const saw =
          `a write that expects version ${checked} of ${CONTROLLER_EPOCH} was accepted; ` +
          `it has version ${version}`;
        fencing.fail(at, saw);
      }
    }
    eachZnodeWrite(txn, (write) => {
      if (write.path === CONTROLLER_EPOCH) {
        if (write.op !== "delete") epochWritten(Number(write.data), write.version, at);
        return;
      }
      if (!write.path.startsWith("/brokers/topics/")) return;
      const place = topicPartitionOf(write.path);
      if (place === null || place.partition === null) return;
      if (write.op === "delete") leaderEpochs.delete(write.path);
      else stateWritten(write.path, write.data, { checked: checked !== null, at });
    });
  });

  function epochWritten(value: number, newVersion: number, at: Micros): void {
    monotonic.evaluated++;
    if (epoch !== null && value !== epoch + 1 && kafka.zooKeeper.gaps === 0) {
      monotonic.fail(at, `${CONTROLLER_EPOCH} went from ${epoch} to ${value}`);
    }
    epoch = value;
    version = newVersion;
  }

  function stateWritten(path: string, data: string, how: { checked: boolean; at: Micros }): void {
    const state = parseState(data, 0);
    if (state === null) return;
    const before = leaderEpochs.get(path);
    leaderEpochs.set(path, state.leaderEpoch);
    const byController = how.checked || before === undefined || state.leaderEpoch > before;
    if (!byController || epoch === null || version < 0) return;
    fencing.evaluated++;
    if (state.controllerEpoch === epoch) return;
    const place = topicPartitionOf(path);
    const partition = kafka.partition(place?.topic ?? "", place?.partition ?? 0);
    const saw =
      `the state of ${partition.name} was written by the controller of epoch ` +
      `${state.controllerEpoch}; the newest controller has epoch ${epoch}`;
    fencing.fail(how.at, saw, { partition });
  }
}

/** [I-5], judged on what a process applies; the ghost forgets the epochs when a process starts. */
export function watchBrokerEpochs(context: CheckContext): void {
  const { kafka, observers } = context;
  const check = context.check("BrokerEpochsMonotonic");
  interface Epochs {
    leaderEpoch: number;
    partitionEpoch: number;
  }
  /** By broker, then by partition name. */
  const epochs = new Map<number, Map<string, Epochs>>();

  observers.on<Extract<KafkaObservation, { kind: "BrokerStarting" }>>("BrokerStarting", (o) => {
    epochs.delete(o.broker);
  });
  observers.on<Extract<KafkaObservation, { kind: "ReplicaStopped" }>>("ReplicaStopped", (o) => {
    epochs.get(o.broker)?.delete(kafka.partition(o.topic, o.partition).name);
  });
  observers.on<BecameLeader>("BecameLeader", (o, _node, at) => applied(o, at));
  observers.on<BecameFollower>("BecameFollower", (o, _node, at) => applied(o, at));
  observers.on<IsrCommitted>("IsrCommitted", (o, _node, at) => applied(o, at));

  function applied(o: BecameLeader | BecameFollower | IsrCommitted, at: Micros): void {
    const partition = kafka.partition(o.topic, o.partition);
    let own = epochs.get(o.broker);
    if (own === undefined) {
      own = new Map();
      epochs.set(o.broker, own);
    }
    const before = own.get(partition.name);
    own.set(partition.name, { leaderEpoch: o.leaderEpoch, partitionEpoch: o.partitionEpoch });
    check.evaluated++;
    if (before === undefined) return;
    if (o.leaderEpoch >= before.leaderEpoch && o.partitionEpoch >= before.partitionEpoch) return;
    const saw =
      `broker ${o.broker} went from leader epoch ${before.leaderEpoch}, partition epoch ` +
      `${before.partitionEpoch} of ${partition.name} to ${o.leaderEpoch}, ${o.partitionEpoch}`;
    check.fail(at, saw, { partition, brokers: [o.broker] });
  }
}
