/**
 * Which life of a topic each op of the history acted on: a topic that is deleted and created again is
 * two, told apart by their topic ids [CTL-76, C-28].
 *
 * The protocol names topics, so clients cannot tell; the leaders' logs can. In the attributed history
 * the partitions of the second life are keys of their own, `orders@2-0`, and each deletion is an op
 * `delete-topic`, from when the controller began to take the replicas away until the topic was gone.
 * Only worth attaching where topics can be deleted. Judges nothing.
 */
import type { MicroOp, Op } from "../checks/history.ts";
import { HistoryTable } from "../checks/history-table.ts";
import { decodeUtf8 } from "../model/clients/serializers.ts";
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { RecordBatch } from "../model/kafka/protocol/records.ts";
import type { Micros, Observers } from "../sim/index.ts";

type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;

/** One topic id, as soon as it had a leader. */
interface Life {
  readonly topicId: string;
  /** From 1. */
  readonly number: number;
  readonly bornAt: Micros;
  /** By partition: all that leaders appended, in order of time; what was cut again is kept. */
  readonly appended: (RecordBatch[] | undefined)[];
  deletionBegan: Micros | null;
  deletionEnded: Micros | null;
}

interface Topic {
  readonly name: string;
  readonly lives: Life[];
  /** By partition and broker: where what it appends as leader belongs. */
  readonly leads: (RecordBatch[] | undefined)[][];
}

/** Logical processes of what is added to the history: deletions, and sends that were stored twice. */
const FIRST_PROCESS = 20_000_000;

/** The topic of `orders-0` and of `orders@2-0`. */
export function topicOfKey(key: string): string {
  const topic = key.slice(0, key.lastIndexOf("-"));
  const at = topic.lastIndexOf("@");
  return at < 0 ? topic : topic.slice(0, at);
}

export class TopicLives {
  readonly #topics = new Map<string, Topic>();

  constructor(observers: Observers) {
    observers.on<Of<"BecameLeader">>("BecameLeader", (o, _node, at) => this.#leads(o, at));
    observers.on<Of<"LogAppended">>("LogAppended", (o) => {
      if (!o.asLeader) return;
      this.#topics.get(o.topic)?.leads[o.partition]?.[o.broker]?.push(o.batch);
    });
    observers.on<Of<"TopicDeletionStarted">>("TopicDeletionStarted", (o, _node, at) => {
      const life = this.#living(o.topic);
      if (life !== null) life.deletionBegan ??= at;
    });
    observers.on<Of<"TopicDeleted">>("TopicDeleted", (o, _node, at) => {
      const life = this.#living(o.topic);
      if (life !== null) life.deletionEnded = at;
    });
  }

  /** The same history with one key per life, and with the deletions; the same table without any. */
  attribute(ops: HistoryTable): HistoryTable {
    const deleted = [...this.#topics.values()].filter(({ lives }) =>
      lives.some(({ deletionBegan }) => deletionBegan !== null),
    );
    if (deleted.length === 0) return ops;
    return HistoryTable.from(new Attribution(deleted, ops.list()).run());
  }

  #leads(o: Of<"BecameLeader">, at: Micros): void {
    let topic = this.#topics.get(o.topic);
    if (topic === undefined) {
      topic = { name: o.topic, lives: [], leads: [] };
      this.#topics.set(o.topic, topic);
    }
    const { lives, leads } = topic;
    let life = lives.find(({ topicId }) => topicId === o.topicId);
    if (life === undefined) {
      life = {
        topicId: o.topicId,
        number: lives.length + 1,
        bornAt: at,
        appended: [],
        deletionBegan: null,
        deletionEnded: null,
      };
      lives.push(life);
    }
    const appended = (life.appended[o.partition] ??= []);
    (leads[o.partition] ??= [])[o.broker] = appended;
  }

  /** The newest life that is not gone yet. */
  #living(topic: string): Life | null {
    const life = this.#topics.get(topic)?.lives.at(-1);
    return life === undefined || life.deletionEnded !== null ? null : life;
  }
}

/** Where a value was stored in one life. */
interface Place {
  readonly life: Life;
  readonly offset: number;
}

interface Deletion {
  readonly at: Micros;
  readonly op: Omit<Op, "index">;
}

class Attribution {
  readonly #ops: readonly Op[];
  /** By key as recorded. */
  readonly #topicOf = new Map<string, Topic>();
  /** By key as recorded and value, in order of the lives and of time. */
  readonly #places = new Map<string, Map<string, Place[]>>();
  /** By key as recorded and value: the offset that was acknowledged. */
  readonly #acknowledged = new Map<string, Map<string, number>>();
  readonly #deletions: Deletion[] = [];
  readonly #out: Op[] = [];
  #nextProcess = FIRST_PROCESS;

  constructor(topics: readonly Topic[], ops: readonly Op[]) {
    this.#ops = ops;
    for (const topic of topics) this.#index(topic);
    for (const op of ops) this.#noteAcknowledged(op);
    this.#deletions.sort((a, b) => a.at - b.at);
  }

  run(): readonly Op[] {
    let next = 0;
    for (const op of this.#ops) {
      for (; next < this.#deletions.length; next++) {
        const deletion = this.#deletions[next] as Deletion;
        if (deletion.at >= op.time) break;
        this.#add(deletion.op);
      }
      this.#addAttributed(op);
    }
    for (const { op } of this.#deletions.slice(next)) this.#add(op);
    return this.#out;
  }

  #index(topic: Topic): void {
    const partitions = Math.max(...topic.lives.map(({ appended }) => appended.length));
    for (let partition = 0; partition < partitions; partition++) {
      const key = `${topic.name}-${partition}`;
      this.#topicOf.set(key, topic);
      const places = new Map<string, Place[]>();
      this.#places.set(key, places);
      for (const life of topic.lives) {
        for (const { baseOffset, records } of life.appended[partition] ?? []) {
          records.forEach(({ value }, i) => {
            const text = value === null ? "" : decodeUtf8(value);
            const place = { life, offset: baseOffset + i };
            const known = places.get(text);
            if (known === undefined) places.set(text, [place]);
            else known.push(place);
          });
        }
      }
    }
    for (const life of topic.lives) this.#addDeletion(topic, life);
  }

  #addDeletion(topic: Topic, life: Life): void {
    const { deletionBegan, deletionEnded } = life;
    if (deletionBegan === null) return;
    const keys: string[] = [];
    // Not of holes in the list: partitions that never had a leader.
    life.appended.forEach((_, partition) => {
      keys.push(keyOf(topic.name, life, partition));
    });
    const op = { process: this.#nextProcess++, f: "delete-topic", value: [], keys } as const;
    this.#deletions.push({ at: deletionBegan, op: { ...op, type: "invoke", time: deletionBegan } });
    if (deletionEnded === null) return;
    this.#deletions.push({ at: deletionEnded, op: { ...op, type: "ok", time: deletionEnded } });
  }

  #noteAcknowledged({ type, value }: Op): void {
    if (type !== "ok") return;
    for (const part of value) {
      if (part.f !== "send" || part.offset === null || !this.#topicOf.has(part.key)) continue;
      let offsets = this.#acknowledged.get(part.key);
      if (offsets === undefined) this.#acknowledged.set(part.key, (offsets = new Map()));
      offsets.set(part.value, part.offset);
    }
  }

  #add(op: Omit<Op, "index">): void {
    this.#out.push({ ...op, index: this.#out.length });
  }

  #addAttributed(op: Op): void {
    const { keys, rebalanceLog } = op;
    const elsewhere: MicroOp[] = [];
    this.#add({
      ...op,
      value: op.value.map((part) => this.#microOp(part, op, elsewhere)),
      ...(keys === undefined ? {} : { keys: this.#allLives(keys) }),
      ...(rebalanceLog === undefined
        ? {}
        : { rebalanceLog: rebalanceLog.map((moved) => this.#allLives(moved)) }),
    });
    // A retry that outlived the topic: the record is in another life's log, too. Nobody knows of it.
    for (const part of elsewhere) {
      const { time, acks } = op;
      const process = this.#nextProcess++;
      const send = { process, f: "send", time, value: [part] } as const;
      const details = acks === undefined ? {} : { acks };
      this.#add({ ...send, type: "invoke", ...details });
      this.#add({ ...send, type: "info", ...details, error: "STORED_IN_ANOTHER_LIFE" });
    }
  }

  #microOp(part: MicroOp, op: Op, elsewhere: MicroOp[]): MicroOp {
    if (part.f === "poll") {
      const records = part.records.map((record) => {
        const life = this.#lifeOf(record.key, record.value, record.offset, op.time);
        return life === null ? record : { ...record, key: renamed(record.key, life) };
      });
      return { f: "poll", records };
    }
    const { key, value } = part;
    const offset = this.#acknowledged.get(key)?.get(value) ?? null;
    const life = this.#lifeOf(key, value, offset, op.time);
    if (life === null) return part;
    if (op.type === "invoke") {
      const others = new Set(
        this.#places
          .get(key)
          ?.get(value)
          ?.map((place) => place.life),
      );
      others.delete(life);
      for (const other of others) {
        elsewhere.push({ f: "send", key: renamed(key, other), value, offset: null });
      }
    }
    return { ...part, key: renamed(key, life) };
  }

  /** null: no partition of a topic that was ever deleted. */
  #lifeOf(key: string, value: string, offset: number | null, at: Micros): Life | null {
    const topic = this.#topicOf.get(key);
    if (topic === undefined) return null;
    const places = this.#places.get(key)?.get(value) ?? [];
    const exact = places.findLast((place) => place.offset === offset);
    const stored = exact ?? places.at(-1);
    if (stored !== undefined) return stored.life;
    // Stored nowhere: of the life that there was.
    return topic.lives.findLast(({ bornAt }) => bornAt <= at) ?? topic.lives[0] ?? null;
  }

  #allLives(keys: readonly string[]): string[] {
    return keys.flatMap((key) => {
      const lives = this.#topicOf.get(key)?.lives ?? [];
      return lives.length === 0 ? [key] : lives.map((life) => renamed(key, life));
    });
  }
}

function keyOf(topic: string, life: Life, partition: number): string {
  return life.number === 1 ? `${topic}-${partition}` : `${topic}@${life.number}-${partition}`;
}

/** The key of a partition as clients name it, as a key of one life. */
function renamed(key: string, life: Life): string {
  const dash = key.lastIndexOf("-");
  return keyOf(key.slice(0, dash), life, Number(key.slice(dash + 1)));
}
