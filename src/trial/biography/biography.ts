/**
 * The biography of an offset: every record that ever stood there, on which replicas and when, and what
 * became of it.
 *
 * An offset can have several lives: what a deposed leader wrote is cut off, and its successor writes
 * something else in the same place. A life is one batch as one leader wrote it (content and leader
 * epoch). The trial is run and watched; nothing had to be recorded before.
 */
import type { ClientObservation } from "../../model/clients/observations.ts";
import type { KafkaObservation } from "../../model/kafka/observations.ts";
import type { RecordBatch } from "../../model/kafka/protocol/records.ts";
import type { Micros, Observation, Observers, SimNode } from "../../sim/index.ts";
import { Trial, type TrialOptions } from "../trial.ts";

/** `orders-0@17`. */
export interface RecordName {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export type LifeEventKind =
  | "sent"
  | "resent"
  | "appended"
  | "copied"
  | "committed"
  | "acknowledged"
  | "failed"
  | "exposed"
  | "polled"
  | "truncated"
  | "not-recovered"
  | "deleted"
  | "appended-elsewhere";

export interface LifeEvent {
  readonly kind: LifeEventKind;
  readonly at: Micros;
  /** Name of the node at which it happened. */
  readonly node: string;
  /** Leader epoch of the replica; -1 for clients. */
  readonly leaderEpoch: number;
  /** The rest in words: attempt, reason, code, other offset; may be empty. */
  readonly detail: string;
}

export interface Life {
  readonly key: string | null;
  readonly value: string | null;
  /** A marker that is no record of an application. */
  readonly isControl: boolean;
  /** Client that sent it; null when no client here did. */
  readonly producer: string | null;
  /** Under which it was written by its leader. */
  readonly leaderEpoch: number;
  readonly batch: {
    readonly baseOffset: number;
    readonly lastOffset: number;
    /** -1 without idempotence; the next two too. */
    readonly producerId: number;
    readonly producerEpoch: number;
    readonly baseSequence: number;
  };
  /** In order of time. */
  readonly events: readonly LifeEvent[];
  /** Brokers that have it at the end of the trial. */
  readonly heldBy: readonly string[];
  readonly committed: boolean;
  readonly acknowledged: boolean;
  /**
   * `kept`: the last leader has it. `lost`: it was committed or acknowledged, and the last leader does
   * not have it. `dropped`: nobody was promised anything, and the last leader does not have it.
   * `deleted`: retention or deletion took it away.
   */
  readonly fate: "kept" | "lost" | "dropped" | "deleted";
}

export interface Biography {
  readonly record: RecordName;
  /** In the order in which they began; empty when nothing was ever written there. */
  readonly lives: readonly Life[];
  /** One past the greatest offset that any replica ever had. */
  readonly logEnd: number;
  readonly endedAt: Micros;
}

type Of<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { readonly kind: K }>;
type ClientOf<K extends ClientObservation["kind"]> = Extract<
  ClientObservation,
  { readonly kind: K }
>;

/** Runs the trial to its end. Errors of the model propagate. */
export function biographyOf(options: TrialOptions, record: RecordName): Biography {
  const found: { biographer?: Biographer } = {};
  const trial = new Trial({
    ...options,
    onWorld(current) {
      options.onWorld?.(current);
      const { world } = current;
      found.biographer = new Biographer(world.observers, record, (id) => world.node(id));
    },
  });
  trial.run();
  const leader = trial.roles.leader(record.topic, record.partition);
  return (found.biographer as Biographer).finish(trial.world.now, leader?.name ?? null);
}

/** What is being found out about a life. */
interface Draft {
  readonly id: string;
  readonly batch: RecordBatch;
  readonly place: number;
  readonly events: LifeEvent[];
  readonly holders: Set<string>;
  /** Nodes that served it, consumers that polled it: told once each. */
  readonly shown: Set<string>;
  committed: boolean;
  deleted: boolean;
}

class Biographer {
  readonly #record: RecordName;
  readonly #nameOf: (node: number) => string;
  readonly #lives = new Map<string, Draft>();
  /** What each broker has at the offset. */
  readonly #held = new Map<string, Draft>();
  /** What clients said of each value, and where leaders wrote it, in this partition. */
  readonly #values = new Map<string, LifeEvent[]>();
  #logEnd = 0;

  constructor(observers: Observers, record: RecordName, node: (id: number) => SimNode) {
    this.#record = record;
    this.#nameOf = (id) => node(id).name;
    const ours = (fact: { readonly topic: string; readonly partition: number }) =>
      fact.topic === record.topic && fact.partition === record.partition;
    const on = <K extends KafkaObservation["kind"]>(
      kind: K,
      listen: (fact: Of<K>, name: string, at: Micros) => void,
    ) => {
      // Only kinds that are about one partition are asked for below.
      observers.on<Observation>(kind, (observation, id, at) => {
        const fact = observation as unknown as Of<K> & RecordName;
        if (ours(fact)) listen(fact, this.#nameOf(id), at);
      });
    };
    on("LogAppended", (fact, name, at) => this.#appended(fact, name, at));
    on("LogTruncated", (fact, name, at) => {
      const { offset } = record;
      if (fact.to > offset) return;
      const detail = `log cut from ${fact.from} to ${fact.to} (${fact.reason})`;
      this.#gone(name, { kind: "truncated", at, leaderEpoch: fact.leaderEpoch, detail });
    });
    on("LogLoaded", (fact, name, at) => {
      const { offset } = record;
      const hole = (fact.holes ?? []).some(({ from, to }) => from <= offset && offset < to);
      if (fact.logEndOffset > offset && !hole) return;
      const detail = hole ? "a hole in the log" : `the log ends at ${fact.logEndOffset} now`;
      this.#gone(name, { kind: "not-recovered", at, leaderEpoch: -1, detail });
    });
    on("LogStartMoved", (fact, name, at) => {
      if (fact.logStartOffset <= record.offset) return;
      const life = this.#held.get(name);
      if (life !== undefined) life.deleted = true;
      const detail = `the log starts at ${fact.logStartOffset} now`;
      this.#gone(name, { kind: "deleted", at, leaderEpoch: -1, detail });
    });
    on("LogCleaned", (fact, name, at) => {
      const gone = fact.removed.some(({ batch, positions }) =>
        positions.includes(record.offset - batch.baseOffset),
      );
      if (!gone) return;
      const life = this.#held.get(name);
      if (life !== undefined) life.deleted = true;
      const detail = "compaction: a later record has its key";
      this.#gone(name, { kind: "deleted", at, leaderEpoch: -1, detail });
    });
    on("ReplicaStopped", (fact, name, at) => {
      if (!fact.deleted) return;
      const detail = "the replica was deleted";
      this.#gone(name, { kind: "deleted", at, leaderEpoch: -1, detail });
    });
    on("HighWatermarkMoved", (fact, name, at) => {
      if (fact.isLeader && fact.to > record.offset) this.#commit(name, fact.leaderEpoch, at);
    });
    on("BecameLeader", (fact, name, at) => {
      if (fact.highWatermark > record.offset) this.#commit(name, fact.leaderEpoch, at);
    });
    on("FetchServed", (fact, name, at) => {
      const { offset } = record;
      const life = this.#held.get(name);
      if (life === undefined || fact.fetchOffset > offset || fact.lastOffset < offset) return;
      if (life.shown.has(name)) return;
      life.shown.add(name);
      const { leaderEpoch, highWatermark } = fact;
      const detail = `high watermark ${highWatermark}`;
      life.events.push({ kind: "exposed", at, node: name, leaderEpoch, detail });
    });
    this.#watchClients(observers, ours);
  }

  #watchClients(
    observers: Observers,
    ours: (fact: { readonly topic: string; readonly partition: number }) => boolean,
  ): void {
    const said = (value: string | null, event: LifeEvent) => {
      if (value === null) return;
      const events = this.#values.get(value);
      if (events === undefined) this.#values.set(value, [event]);
      else events.push(event);
    };
    observers.on<ClientOf<"RecordSent">>("RecordSent", (fact, id, at) => {
      if (!ours(fact)) return;
      const first = fact.attempt === 1;
      const detail = first ? "" : `attempt ${fact.attempt}`;
      const node = this.#nameOf(id);
      said(fact.value, { kind: first ? "sent" : "resent", at, node, leaderEpoch: -1, detail });
    });
    observers.on<ClientOf<"RecordAcknowledged">>("RecordAcknowledged", (fact, id, at) => {
      if (!ours(fact)) return;
      const level = `acks=${fact.acks === -1 ? "all" : fact.acks}`;
      const detail = fact.offset < 0 ? level : `${level}, at offset ${fact.offset}`;
      const node = this.#nameOf(id);
      said(fact.value, { kind: "acknowledged", at, node, leaderEpoch: -1, detail });
    });
    observers.on<ClientOf<"RecordFailed">>("RecordFailed", (fact, id, at) => {
      if (!ours(fact)) return;
      const detail = fact.definite ? fact.code : `${fact.code}; it may be written nevertheless`;
      said(fact.value, { kind: "failed", at, node: this.#nameOf(id), leaderEpoch: -1, detail });
    });
    observers.on<ClientOf<"RecordsPolled">>("RecordsPolled", (fact, id, at) => {
      if (!ours(fact)) return;
      const place = fact.offsets.indexOf(this.#record.offset);
      if (place < 0) return;
      const value = fact.records[place]?.value ?? null;
      const node = this.#nameOf(id);
      for (const life of this.#lives.values()) {
        if (life.batch.records[life.place]?.value !== value || life.shown.has(node)) continue;
        life.shown.add(node);
        life.events.push({ kind: "polled", at, node, leaderEpoch: -1, detail: "" });
      }
    });
  }

  #appended(fact: Of<"LogAppended">, name: string, at: Micros): void {
    const { batch, leaderEpoch } = fact;
    const from = batch.baseOffset;
    const to = from + batch.lastOffsetDelta;
    if (to >= this.#logEnd) this.#logEnd = to + 1;
    const { offset } = this.#record;
    const here = from <= offset && offset <= to;
    if (fact.asLeader) {
      for (let i = 0; i < batch.records.length; i++) {
        const value = batch.records[i]?.value ?? null;
        if (value === null || from + i === offset) continue;
        const detail = `at offset ${from + i}`;
        const event: LifeEvent = {
          kind: "appended-elsewhere",
          at,
          node: name,
          leaderEpoch,
          detail,
        };
        const events = this.#values.get(value);
        if (events === undefined) this.#values.set(value, [event]);
        else events.push(event);
      }
    }
    if (!here) return;
    const place = offset - from;
    const id = `${batch.partitionLeaderEpoch} ${from} ${batch.crc}`;
    let life = this.#lives.get(id);
    if (life === undefined) {
      const events: LifeEvent[] = [];
      const sets = { holders: new Set<string>(), shown: new Set<string>() };
      life = { id, batch, place, events, ...sets, committed: false, deleted: false };
      this.#lives.set(id, life);
    }
    const before = this.#held.get(name);
    // What stood there without having been cut off: only a broken replica writes over its log.
    if (before !== undefined && before !== life) before.holders.delete(name);
    const kind = fact.asLeader ? "appended" : "copied";
    life.events.push({ kind, at, node: name, leaderEpoch, detail: "" });
    life.holders.add(name);
    this.#held.set(name, life);
  }

  #gone(name: string, event: Omit<LifeEvent, "node">): void {
    const life = this.#held.get(name);
    if (life === undefined) return;
    this.#held.delete(name);
    life.holders.delete(name);
    life.events.push({ ...event, node: name });
  }

  #commit(name: string, leaderEpoch: number, at: Micros): void {
    const life = this.#held.get(name);
    if (life === undefined || life.committed) return;
    life.committed = true;
    life.events.push({ kind: "committed", at, node: name, leaderEpoch, detail: "" });
  }

  finish(endedAt: Micros, leader: string | null): Biography {
    const drafts = [...this.#lives.values()];
    const lives = drafts.map((life) => this.#life(life, leader));
    return { record: this.#record, lives, logEnd: this.#logEnd, endedAt };
  }

  #life(draft: Draft, leader: string | null): Life {
    const { batch, place, committed } = draft;
    const record = batch.isControl ? undefined : batch.records[place];
    const value = record?.value ?? null;
    const said = (value === null ? undefined : this.#values.get(value)) ?? [];
    const events = [...draft.events, ...said];
    // Facts of one time stay in the order in which each list has them.
    events.sort((a, b) => a.at - b.at || RANK[a.kind] - RANK[b.kind]);
    const heldBy = [...draft.holders].sort();
    const acknowledged = said.some(({ kind }) => kind === "acknowledged");
    const kept = leader === null ? heldBy.length > 0 : heldBy.includes(leader);
    const promised = committed || acknowledged;
    return {
      key: record?.key ?? null,
      value,
      isControl: batch.isControl,
      producer: said.find(({ kind }) => kind === "sent")?.node ?? null,
      leaderEpoch: batch.partitionLeaderEpoch,
      batch: {
        baseOffset: batch.baseOffset,
        lastOffset: batch.baseOffset + batch.lastOffsetDelta,
        producerId: batch.producerId,
        producerEpoch: batch.producerEpoch,
        baseSequence: batch.baseSequence,
      },
      events,
      heldBy,
      committed,
      acknowledged,
      fate: kept ? "kept" : draft.deleted ? "deleted" : promised ? "lost" : "dropped",
    };
  }
}

/** At equal times: cause before consequence. */
const RANK: { readonly [K in LifeEventKind]: number } = {
  sent: 0,
  resent: 1,
  appended: 2,
  "appended-elsewhere": 3,
  copied: 4,
  committed: 5,
  acknowledged: 6,
  failed: 7,
  exposed: 8,
  polled: 9,
  truncated: 10,
  "not-recovered": 11,
  deleted: 12,
};
