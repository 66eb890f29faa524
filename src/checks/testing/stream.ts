/**
 * A stream of observations written by hand: a tiny cluster of words, with the invariants and the
 * guarantee tracker listening. It keeps log ends and high watermarks, so that a story names only
 * what matters; it enforces nothing, so that a story can go wrong.
 */
import { newBatch, type RecordBatch, stampBatch } from "../../model/kafka/protocol/records.ts";
import type { Finding } from "../finding.ts";
import { ClusterStream, PLACE } from "./cluster-stream.ts";

interface Replica {
  end: number;
  highWatermark: number;
  epoch: number;
}

export class Stream extends ClusterStream {
  readonly #replicas = new Map<number, Replica>();
  readonly #batches: RecordBatch[][] = [];

  // --- brokers: broker n runs on node 10 + n ------------------------------------------------------

  boot(...brokers: number[]): this {
    for (const broker of brokers) {
      this.state({ kind: "BrokerStarting", broker, clean: true }, 10 + broker);
      this.load(broker, 0);
      this.register(broker);
    }
    return this;
  }

  powerOff(broker: number): this {
    return this.state({ kind: "NodePoweredOff", losses: [] }, 10 + broker);
  }

  kill(broker: number): this {
    return this.state({ kind: "NodeKilled" }, 10 + broker);
  }

  /** The process starts and finds `end` records in its log. */
  restart(broker: number, end: number): this {
    this.state({ kind: "BrokerStarting", broker, clean: false }, 10 + broker);
    return this.load(broker, end);
  }

  load(
    broker: number,
    end: number,
    holes: readonly { readonly from: number; readonly to: number }[] = [],
  ): this {
    const highWatermark = Math.min(end, this.replica(broker).highWatermark);
    this.#replicas.set(broker, { end, highWatermark, epoch: -1 });
    this.#log(broker).length = Math.min(this.#log(broker).length, end);
    return this.state(
      {
        kind: "LogLoaded",
        broker,
        ...PLACE,
        logStartOffset: 0,
        logEndOffset: end,
        highWatermark,
        prefixHash: 0,
        droppedBatches: 0,
        ...(holes.length === 0 ? {} : { holes }),
      },
      10 + broker,
    );
  }

  replica(broker: number): Replica {
    let replica = this.#replicas.get(broker);
    if (replica === undefined) {
      replica = { end: 0, highWatermark: 0, epoch: -1 };
      this.#replicas.set(broker, replica);
    }
    return replica;
  }

  #log(broker: number): RecordBatch[] {
    let log = this.#batches[broker];
    if (log === undefined) {
      log = [];
      this.#batches[broker] = log;
    }
    return log;
  }

  lead(broker: number, leaderEpoch: number, isr: readonly number[] = [1, 2, 3]): this {
    const replica = this.replica(broker);
    replica.epoch = leaderEpoch;
    return this.state({
      kind: "BecameLeader",
      broker,
      ...PLACE,
      topicId: "id",
      leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      isr,
      logEndOffset: replica.end,
      highWatermark: replica.highWatermark,
      prefixHash: 0,
    });
  }

  follow(broker: number, leader: number, leaderEpoch: number): this {
    const replica = this.replica(broker);
    replica.epoch = leaderEpoch;
    return this.state({
      kind: "BecameFollower",
      broker,
      ...PLACE,
      leader,
      leaderEpoch,
      partitionEpoch: this.partitionEpoch,
      logEndOffset: replica.end,
    });
  }

  /** One record of `value`, appended as leader; of an idempotent producer when `sequence` is given. */
  write(
    broker: number,
    value: string,
    with_: { sequence?: number; producerEpoch?: number; at?: number; epoch?: number } = {},
  ): this {
    const replica = this.replica(broker);
    const sequence = with_.sequence ?? -1;
    const producer =
      sequence < 0
        ? {}
        : { producerId: 7, producerEpoch: with_.producerEpoch ?? 0, baseSequence: sequence };
    const record = { timestamp: 0, key: null, value, headers: [] };
    const batch = newBatch({ records: [record], ...producer });
    const offset = with_.at ?? replica.end;
    return this.append(broker, stampBatch(batch, offset, with_.epoch ?? replica.epoch), true);
  }

  append(broker: number, batch: RecordBatch, asLeader: boolean): this {
    const replica = this.replica(broker);
    replica.end = batch.baseOffset + 1;
    const log = this.#log(broker);
    log.length = Math.min(log.length, batch.baseOffset);
    log.push(batch);
    return this.state({
      kind: "LogAppended",
      broker,
      ...PLACE,
      batch,
      asLeader,
      leaderEpoch: replica.epoch,
      prefixHashBefore: 0,
      prefixHash: 0,
    });
  }

  /** A follower takes over everything that `from` has and it lacks. */
  fetch(broker: number, from: number): this {
    const log = this.#log(from);
    for (let i = this.replica(broker).end; i < log.length; i++) {
      this.append(broker, log[i] as RecordBatch, false);
    }
    return this;
  }

  truncate(
    broker: number,
    to: number,
    reason: "divergence" | "highWatermark" | "reset" = "divergence",
  ): this {
    const replica = this.replica(broker);
    const from = replica.end;
    replica.end = to;
    replica.highWatermark = Math.min(replica.highWatermark, to);
    this.#log(broker).length = to;
    return this.state({
      kind: "LogTruncated",
      broker,
      ...PLACE,
      from,
      to,
      highWatermark: replica.highWatermark,
      prefixHash: 0,
      leaderEpoch: replica.epoch,
      reason,
    });
  }

  commit(broker: number, to: number, isLeader = true): this {
    const replica = this.replica(broker);
    const from = replica.highWatermark;
    replica.highWatermark = to;
    return this.state({
      kind: "HighWatermarkMoved",
      broker,
      ...PLACE,
      from,
      to,
      isLeader,
      leaderEpoch: replica.epoch,
      logEndOffset: replica.end,
      prefixHash: 0,
    });
  }

  answer(broker: number, offset: number, acks = -1, errorCode = 0): this {
    const { epoch, highWatermark } = this.replica(broker);
    return this.state({
      kind: "ProduceAnswered",
      broker,
      ...PLACE,
      acks,
      errorCode,
      baseOffset: offset,
      lastOffset: offset,
      leaderEpoch: epoch,
      highWatermark,
    });
  }

  serve(broker: number, lastOffset: number): this {
    const { epoch, highWatermark } = this.replica(broker);
    return this.state({
      kind: "FetchServed",
      broker,
      ...PLACE,
      fetchOffset: 0,
      lastOffset,
      highWatermark,
      isLeader: true,
      leaderEpoch: epoch,
    });
  }

  // --- clients ----------------------------------------------------------------------------------------

  sent(producer: string, value: string, attempt = 1): this {
    return this.state({
      kind: "RecordSent",
      producer,
      ...PLACE,
      key: null,
      value,
      producerId: -1,
      producerEpoch: -1,
      sequence: -1,
      attempt,
    });
  }

  acknowledged(producer: string, value: string, offset: number, acks = -1): this {
    return this.state({
      kind: "RecordAcknowledged",
      producer,
      ...PLACE,
      key: null,
      value,
      acks,
      offset,
    });
  }

  /** Three brokers, broker 1 leads in epoch 0 with all in sync, and `values` are committed. */
  committed(...values: string[]): this {
    this.boot(1, 2, 3).elect(3, 1).assign(1, 2, 3).isr(1, 0, [1, 2, 3]);
    this.lead(1, 0).follow(2, 1, 0).follow(3, 1, 0);
    for (const value of values) this.write(1, value);
    this.fetch(2, 1).fetch(3, 1);
    if (values.length > 0) this.commit(1, values.length);
    for (const offset of values.keys()) this.answer(1, offset);
    return this;
  }
}

/** A finding of a history checker about the partition of the stream. */
export function historyFinding(
  check: string,
  at: number,
  about: { offset?: number; record?: string } = {},
): Finding {
  return { check, at, says: "", saw: "", ...PLACE, ...about };
}
