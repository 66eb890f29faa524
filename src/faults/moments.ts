/**
 * Moments: what a fault may wait for, besides a time. `when: isr(orders-0) is 1`.
 *
 * Each form is a row of one table: how it reads, and how it is watched. A moment is a change, not a
 * state: it comes when the observation says so, again each time that it is true anew. What is read
 * of roles is what the cluster has committed.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { Roles } from "../model/roles.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import type { Observation, World } from "../sim/index.ts";
import { didYouMean } from "./nearest.ts";

/** What a fault waits for; at its moments it strikes, `after` later. */
export interface Trigger {
  /** As written, such as `isr(orders-0) is 1`. */
  readonly moment: string;
  /** From the moment to the strike, in microseconds; 0 is as soon as may be. */
  readonly after: number;
  /** At how many moments, at most. */
  readonly repeat: number;
}

/** The text makes no sense; the message says what was expected instead. */
export class MomentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MomentError";
  }
}

/** Where a moment is watched. */
interface Scene {
  readonly world: World;
  readonly roles: Roles;
  /** Tells that the moment has come. Called within an observation: it must change nothing. */
  readonly come: () => void;
}

interface Form {
  /** An example, which tells how it is written. */
  readonly form: string;
  readonly says: string;
  readonly pattern: RegExp;
  watch(match: readonly string[], scene: Scene): void;
}

type Kafka<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type Keeper<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

const PARTITION = "([A-Za-z0-9._-]+)-(\\d+)";

/** Every form, in the order in which they are explained. */
export const MOMENTS: readonly Form[] = [
  {
    form: "isr(orders-0) is 1",
    says: "The in-sync replicas have become so many",
    pattern: new RegExp(`^isr\\(${PARTITION}\\) is (\\d+)$`),
    watch: ([topic, partition, count], scene) =>
      watchIsr(
        topic,
        partition,
        scene,
        (size, before) => size === Number(count) && size !== before,
      ),
  },
  {
    form: "isr(orders-0) shrinks",
    says: "A replica has left the ISR",
    pattern: new RegExp(`^isr\\(${PARTITION}\\) shrinks$`),
    watch: ([topic, partition], scene) =>
      watchIsr(topic, partition, scene, (size, before) => size < before),
  },
  {
    form: "isr(orders-0) grows",
    says: "A replica has joined the ISR",
    pattern: new RegExp(`^isr\\(${PARTITION}\\) grows$`),
    watch: ([topic, partition], scene) =>
      watchIsr(topic, partition, scene, (size, before) => size > before && before > 0),
  },
  {
    form: "leader(orders-0) changes",
    says: "A broker takes over as leader",
    pattern: new RegExp(`^leader\\(${PARTITION}\\) changes$`),
    watch: ([topic, partition], { world, roles, come }) => {
      const name = roles.leader(topic as string, Number(partition))?.name;
      let leader = name === undefined ? -1 : Number(name.slice(1));
      on<Kafka<"BecameLeader">>(world, "BecameLeader", (fact) => {
        if (!isOf(fact, topic, partition)) return;
        if (leader >= 0 && leader !== fact.broker) come();
        leader = fact.broker;
      });
    },
  },
  {
    form: "replica(orders-0) truncates",
    says: "A replica has cut records from its log",
    pattern: new RegExp(`^replica\\(${PARTITION}\\) truncates$`),
    watch: ([topic, partition], { world, come }) => {
      on<Kafka<"LogTruncated">>(world, "LogTruncated", (fact) => {
        if (isOf(fact, topic, partition) && fact.to < fact.from) come();
      });
    },
  },
  {
    form: "log(orders-0) reaches 100",
    says: "The leader has appended the record before this offset",
    pattern: new RegExp(`^log\\(${PARTITION}\\) reaches (\\d+)$`),
    watch: ([topic, partition, offset], { world, come }) => {
      let reached = false;
      on<Kafka<"LogAppended">>(world, "LogAppended", (fact) => {
        if (reached || !fact.asLeader || !isOf(fact, topic, partition)) return;
        if (fact.batch.baseOffset + fact.batch.lastOffsetDelta + 1 < Number(offset)) return;
        reached = true;
        come();
      });
    },
  },
  {
    form: "high-watermark(orders-0) reaches 100",
    says: "The leader's high watermark has reached this offset",
    pattern: new RegExp(`^high-watermark\\(${PARTITION}\\) reaches (\\d+)$`),
    watch: ([topic, partition, offset], { world, come }) => {
      let reached = false;
      on<Kafka<"HighWatermarkMoved">>(world, "HighWatermarkMoved", (fact) => {
        if (reached || !fact.isLeader || !isOf(fact, topic, partition)) return;
        if (fact.to < Number(offset)) return;
        reached = true;
        come();
      });
    },
  },
  {
    form: "controller changes",
    says: "A controller has been elected",
    pattern: /^controller changes$/,
    watch: (_, { world, come }) => on(world, "ControllerElected", come),
  },
  {
    form: "zk-leader changes",
    says: "A ZooKeeper leader begins to serve",
    pattern: /^zk-leader changes$/,
    watch: (_, { world, come }) => on(world, "ZkLeaderServing", come),
  },
  {
    form: "session expires",
    says: "ZooKeeper has decided to expire a session",
    pattern: /^session expires$/,
    watch: (_, { world, come }) =>
      on<Keeper<"ZkSessionExpiring">>(world, "ZkSessionExpiring", come),
  },
  {
    form: "b2 registers",
    says: "This broker has registered in ZooKeeper",
    pattern: /^b(\d+) registers$/,
    watch: ([broker], { world, come }) => {
      on<Kafka<"BrokerRegistered">>(world, "BrokerRegistered", (fact) => {
        if (fact.broker === Number(broker)) come();
      });
    },
  },
];

/** The partition that a moment is about, to see whether it exists; null: about none. */
export function partitionOfMoment(moment: string): string | null {
  return /\((.+)\)/.exec(moment)?.[1] ?? null;
}

/** Throws MomentError unless the text is one of the forms. */
export function checkMoment(moment: string): void {
  find(moment);
}

/** Calls `come` each time the moment comes, from now on. */
export function watchMoment(moment: string, scene: Scene): void {
  const { form, match } = find(moment);
  form.watch(match.slice(1), scene);
}

function find(moment: string): { form: Form; match: readonly string[] } {
  for (const form of MOMENTS) {
    const match = form.pattern.exec(moment);
    if (match !== null) return { form, match };
  }
  const forms = MOMENTS.map(({ form }) => form);
  const near = didYouMean(moment, forms);
  const all = `Known: ${forms.join("; ")}.`;
  throw new MomentError(`no moment "${moment}".${near === "" ? ` ${all}` : near}`);
}

function on<O extends Observation>(
  world: World,
  kind: O["kind"],
  listener: (observation: O) => void,
): void {
  world.observers.on<O>(kind, (observation) => listener(observation));
}

function isOf(
  fact: { readonly topic: string; readonly partition: number },
  topic: string | undefined,
  partition: string | undefined,
): boolean {
  return fact.topic === topic && fact.partition === Number(partition);
}

/** Asks `is` at each change of the number of in-sync replicas. */
function watchIsr(
  topic: string | undefined,
  partition: string | undefined,
  { world, roles, come }: Scene,
  is: (size: number, before: number) => boolean,
): void {
  let before = 0;
  const look = () => {
    const size = roles.isr(topic as string, Number(partition)).length;
    if (size === before) return;
    const now = is(size, before);
    before = size;
    if (now) come();
  };
  look();
  for (const kind of ["IsrCommitted", "BecameLeader", "ZkApplied"]) on(world, kind, look);
}
