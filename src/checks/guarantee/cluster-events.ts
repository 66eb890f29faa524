/**
 * What happened to machines, registrations and controllers: the events that can take a promise back.
 *
 * Only what was observed counts: power failures from the kernel, lying disks and wiped ones from the
 * fault injector, registrations from committed znodes, controllers from their own statements.
 */
import type { IsrProposed, KafkaObservation } from "../../model/kafka/observations.ts";
import { formatTime, type Micros, type NodeObservation, type Observers } from "../../sim/index.ts";
import type { TopicFacts } from "../invariants/facts.ts";
import type { KafkaGhost } from "../invariants/kafka-ghost.ts";
import type { PartitionGhost, Shortening, StateWrite } from "../invariants/partition-ghost.ts";
import { brokerIdOf, eachZnodeWrite } from "../invariants/znodes.ts";
import type { AppliedFault } from "./excuse.ts";

type Kafka<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type Node<K extends NodeObservation["kind"]> = Extract<NodeObservation, { kind: K }>;

/** As the fault injector states it; its own type lies on the same floor as the checks. */
interface FaultFact {
  readonly kind: "FaultStarted" | "FaultEnded";
  readonly fault: { readonly kind: string };
  readonly targets: readonly string[];
}

interface Term {
  readonly broker: number;
  readonly epoch: number;
  readonly from: Micros;
  /** When it had read the cluster; Infinity before: until then it has nothing to compare with. */
  tookOverAt: Micros;
  /** Infinity while it lasts. */
  until: Micros;
}
interface Registration {
  readonly broker: number;
  readonly at: Micros;
  readonly present: boolean;
}
/** A leader asked for `member` to join. */
interface Expansion {
  readonly partition: string;
  readonly member: number;
  readonly at: Micros;
}

export class ClusterEvents {
  readonly #ghost: KafkaGhost;
  readonly faults: AppliedFault[] = [];
  /** Times of power failures by node id. */
  readonly #powerFailures = new Map<number, Micros[]>();
  readonly #terms: Term[] = [];
  readonly #registrations: Registration[] = [];
  readonly #expansions: Expansion[] = [];

  constructor(observers: Observers, ghost: KafkaGhost) {
    this.#ghost = ghost;
    observers.on<Node<"NodePoweredOff">>("NodePoweredOff", (_o, node, at) => {
      const times = this.#powerFailures.get(node);
      if (times === undefined) this.#powerFailures.set(node, [at]);
      else times.push(at);
      this.#endTerm(node, at);
    });
    observers.on<Node<"NodeKilled">>("NodeKilled", (_o, node, at) => this.#endTerm(node, at));
    observers.on<Node<"NodeExited">>("NodeExited", (_o, node, at) => this.#endTerm(node, at));
    observers.on<FaultFact>("FaultStarted", (o, _node, at) => {
      this.applied({ kind: o.fault.kind, at, end: null, targets: o.targets });
    });
    observers.on<FaultFact>("FaultEnded", (o, _node, at) => this.#ended(o, at));
    observers.on<Kafka<"ControllerElected">>("ControllerElected", (o, _node, at) => {
      const { broker, controllerEpoch: epoch } = o;
      for (const term of this.#terms) if (term.until > at) term.until = at;
      const never = Number.POSITIVE_INFINITY;
      this.#terms.push({ broker, epoch, from: at, tookOverAt: never, until: never });
    });
    observers.on<Kafka<"ControllerTookOver">>("ControllerTookOver", (o, _node, at) => {
      for (const term of this.#terms) if (term.epoch === o.controllerEpoch) term.tookOverAt = at;
    });
    const resigned = (o: { broker: number }, _node: number, at: Micros) => {
      for (const term of this.#terms) {
        if (term.broker === o.broker && term.until > at) term.until = at;
      }
    };
    observers.on<Kafka<"ControllerResigned">>("ControllerResigned", resigned);
    observers.on<Kafka<"BrokerSessionExpired">>("BrokerSessionExpired", resigned);
    observers.on<IsrProposed>("IsrProposed", (o, _node, at) => {
      if (o.proposed.length <= o.isr.length) return;
      const { name } = ghost.partition(o.topic, o.partition);
      for (const member of o.proposed) {
        if (!o.isr.includes(member)) this.#expansions.push({ partition: name, member, at });
      }
    });
    ghost.zooKeeper.onCommitted((txn, _zxid, at) => {
      eachZnodeWrite(txn, ({ op, path }) => {
        const broker = brokerIdOf(path);
        if (broker === null || op === "setData") return;
        this.#registrations.push({ broker, at, present: op === "create" });
      });
    });
  }

  /** For faults that are not stated as observations. */
  applied(fault: AppliedFault): void {
    this.faults.push(fault);
  }

  #ended(o: FaultFact, at: Micros): void {
    const { faults } = this;
    const name = o.targets.join();
    const index = faults.findIndex(
      ({ kind, end, targets }) => kind === o.fault.kind && end === null && targets.join() === name,
    );
    if (index >= 0) faults[index] = { ...(faults[index] as AppliedFault), end: at };
  }

  #endTerm(node: number, at: Micros): void {
    for (const term of this.#terms) {
      if (term.until > at && this.#ghost.nodes.get(term.broker) === node) term.until = at;
    }
  }

  /** The latest fault of a kind at a node that began in (after, until]; null if none. */
  faultAt(kind: string, target: string, after: Micros, until: Micros): AppliedFault | null {
    for (let i = this.faults.length - 1; i >= 0; i--) {
      const fault = this.faults[i] as AppliedFault;
      if (fault.kind !== kind || fault.at > until || fault.at <= after) continue;
      if (fault.targets.includes(target)) return fault;
    }
    return null;
  }

  /** The latest power failure of a node in (after, until]; null if none. */
  powerFailure(node: number | undefined, after: Micros, until: Micros): Micros | null {
    const times = node === undefined ? undefined : this.#powerFailures.get(node);
    if (times === undefined) return null;
    for (let i = times.length - 1; i >= 0; i--) {
      const at = times[i] as Micros;
      if (at <= until && at > after) return at;
    }
    return null;
  }

  /**
   * The newest lie of a disk about fsync that a power failure at `at` could expose: what was lied about
   * before the failure before is lost since then, and not again.
   */
  lyingDisk(target: string, node: number | undefined, at: Micros): AppliedFault | null {
    const since = this.powerFailure(node, -1, at - 1) ?? -1;
    const lied = (fault: AppliedFault) =>
      fault.kind === "lying-fsync" &&
      fault.targets.includes(target) &&
      fault.at <= at &&
      (fault.end ?? Number.POSITIVE_INFINITY) >= since;
    return this.faults.findLast(lied) ?? null;
  }

  /**
   * What made a broker come back with a shorter log: a power failure, with a lying disk where every
   * record is flushed before it counts (`flush.messages=1`, [C-11]), or a wiped disk. null when
   * nothing did that may: a process crash loses nothing [MOD-2].
   */
  dataLoss(
    broker: number,
    loss: Shortening,
    topic: TopicFacts | undefined,
  ): { readonly at: Micros; readonly words: string } | null {
    const name = `b${broker}`;
    const wipe = this.faultAt("wipe-disk", name, loss.since, loss.at);
    if (wipe !== null) {
      return { at: wipe.at, words: `the disk of broker ${broker} was wiped at ${time(wipe.at)}` };
    }
    const at = this.powerFailure(this.#ghost.nodes.get(broker), loss.since, loss.at);
    if (at === null) return null;
    const words = `broker ${broker} lost power and unflushed records at ${time(at)}`;
    if (topic?.flushMessages !== 1) return { at, words };
    const lie = this.lyingDisk(name, this.#ghost.nodes.get(broker), at);
    if (lie === null) return null;
    return { at, words: `${words}, its disk having lied about fsync since ${time(lie.at)}` };
  }

  /**
   * Whether a broker that failed at `failure` was registered again without a controller noticing
   * [C-1d]: none was in office, without a break, from before its znode vanished until it was back.
   */
  unnoticedRestart(
    broker: number,
    span: { readonly failure: Micros; readonly until: Micros },
    partition: PartitionGhost,
  ): Micros | null {
    const { failure, until } = span;
    let gone: Micros | null = null;
    for (const { broker: id, at, present } of this.#registrations) {
      if (id !== broker || at < failure || at > until) continue;
      if (!present) {
        gone = at;
        continue;
      }
      const since = gone ?? failure;
      const noticed = this.#terms.some(
        (term) =>
          term.from <= since &&
          (term.until > until
            ? term.tookOverAt <= failure || this.#heardOf(term, at)
            : term.until > at && wrote(partition, term, since)),
      );
      return noticed ? null : at;
    }
    return null;
  }

  /** When a broker was first registered anew in (after, until]; null if it was not. */
  registeredSince(broker: number, after: Micros, until: Micros): Micros | null {
    const found = this.#registrations.find(
      ({ broker: id, at, present }) => id === broker && present && at > after && at <= until,
    );
    return found?.at ?? null;
  }

  /**
   * Heard of in ZooKeeper before: it had read the list of brokers. A controller that is still failing over,
   * or that is deposed before it comes to the partition, notices nothing.
   */
  #heardOf(term: Term, until: Micros): boolean {
    const heard = ({ at, byController, state }: StateWrite) =>
      byController && at <= until && state.controllerEpoch === term.epoch;
    return this.#ghost.partitions.some(({ writes }) => writes.some(heard));
  }

  /** When a leader asked for a member's joining, in [from, until]; null if it did not. */
  expansion(partition: string, member: number, from: Micros, until: Micros): Micros | null {
    for (let i = this.#expansions.length - 1; i >= 0; i--) {
      const found = this.#expansions[i] as Expansion;
      if (found.partition !== partition || found.member !== member) continue;
      if (found.at >= from && found.at <= until) return found.at;
    }
    return null;
  }
}

/** Whether a controller wrote the partition's state after a time: it had the broker before its eyes. */
function wrote(partition: PartitionGhost, term: Term, since: Micros): boolean {
  return partition.writes.some(
    ({ at, byController, state }) =>
      byController && at > since && at <= term.until && state.controllerEpoch === term.epoch,
  );
}

/** `12.482s` */
export function time(at: Micros): string {
  return formatTime(at);
}
