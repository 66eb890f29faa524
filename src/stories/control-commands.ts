/**
 * Requests that a controller sends, sent by the story in its place: what an old controller, or a
 * request meant for an earlier life of a broker, would say [CTL-32 to CTL-37].
 */
import { errorName } from "../model/kafka/protocol/errors.ts";
import { type Arguments, noSuch } from "./arguments.ts";
import { readPartition, type Universe } from "./universe.ts";

/** The header: who claims to be controller, of which epoch, and which life of the broker is meant. */
function header(universe: Universe, args: Arguments, broker: number) {
  const { ledger } = universe;
  const present = Number(ledger.znodes.get("/controller_epoch") ?? "0");
  const life = args.option("life") ?? "present";
  if (life !== "present" && life !== "former") throw noSuch("life", life, ["present", "former"]);
  const epochs = ledger.brokerEpochs.get(broker) ?? [];
  const brokerEpoch = epochs.at(life === "present" ? -1 : -2) ?? -1;
  return {
    controllerId: args.number("controller", 1),
    controllerEpoch: args.number("controller.epoch", present),
    brokerEpoch,
  };
}

/** `stop-replica b3 orders leader.epoch=1 life=former`: delete the replica, and its log. */
export function stopReplicaCommand(universe: Universe, args: Arguments): string[] {
  const broker = universe.brokerId(args.word("a broker"));
  const { topic, partition } = readPartition(args.word("a topic"));
  const state = {
    partitionIndex: partition,
    leaderEpoch: args.number("leader.epoch", 0),
    deletePartition: true,
  };
  const topicStates = [{ topicName: topic, partitionStates: [state] }];
  const answer = universe.ask(broker, "StopReplica", {
    ...header(universe, args, broker),
    topicStates,
  });
  return [`b${broker}: ${codes(answer?.errorCode, answer?.partitionErrors)}`];
}

/** `leader-and-isr b2 orders leader=2 leader.epoch=3 isr=1,2`: who leads, as this sender says. */
export function leaderAndIsrCommand(universe: Universe, args: Arguments): string[] {
  const broker = universe.brokerId(args.word("a broker"));
  const { topic, partition } = readPartition(args.word("a topic"));
  const topicId = topicIdOf(universe, topic);
  const head = header(universe, args, broker);
  const leader = args.number("leader", 1);
  const isr = (args.option("isr") ?? "1,2,3").split(",").map(Number);
  const state = {
    partitionIndex: partition,
    controllerEpoch: head.controllerEpoch,
    leader,
    leaderEpoch: args.number("leader.epoch", 0),
    isr,
    partitionEpoch: args.number("partition.epoch", 0),
    replicas: (args.option("replicas") ?? "1,2,3").split(",").map(Number),
    addingReplicas: [],
    removingReplicas: [],
    isNew: false,
    leaderRecoveryState: 0,
  };
  const answer = universe.ask(broker, "LeaderAndIsr", {
    ...head,
    topicStates: [{ topicName: topic, topicId, partitionStates: [state] }],
    liveLeaders: [{ brokerId: leader }],
  });
  return [`b${broker}: ${codes(answer?.errorCode, answer?.topics[0]?.partitionErrors)}`];
}

function topicIdOf(universe: Universe, topic: string): string {
  const data = universe.ledger.znodes.get(`/brokers/topics/${topic}`);
  return data === undefined ? "" : ((JSON.parse(data) as { topic_id?: string }).topic_id ?? "");
}

function codes(
  code: number | undefined,
  partitions: readonly { readonly errorCode: number }[] | undefined,
): string {
  if (code === undefined) return "no answer";
  const worst =
    code !== 0 ? code : (partitions?.find((one) => one.errorCode !== 0)?.errorCode ?? 0);
  return worst === 0 ? "done" : errorName(worst);
}
