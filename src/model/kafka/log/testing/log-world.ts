/** One broker with a disk and no network: logs for tests, through crashes and power failures. */
import { type ProcessContext, type SimNode, World } from "../../../../sim/index.ts";
import { switchesFor } from "../../../variants/registry.ts";
import { type BrokerConfig, brokerConfig, type TopicOverrides, topicConfig } from "../../config.ts";
import type { KafkaObservation } from "../../observations.ts";
import { isRemoved, newBatch, type RecordBatch } from "../../protocol/records.ts";
import type { Log } from "../log.ts";
import { LogManager } from "../log-manager.ts";

export class LogWorld {
  readonly world = new World({ seed: "log" });
  readonly node: SimNode;
  readonly facts: KafkaObservation[] = [];
  context!: ProcessContext;
  manager!: LogManager;

  constructor(
    topic: TopicOverrides = {},
    config: Partial<BrokerConfig> = {},
    variant: string | null = null,
  ) {
    const broker = brokerConfig(config);
    const topics = topicConfig(broker, topic);
    this.world.observers.onAny((fact) => this.facts.push(fact as KafkaObservation));
    this.node = this.world.addNode({
      name: "broker",
      group: "broker",
      factory: (context) => {
        this.context = context;
        const configs = { get: () => topics };
        this.manager = LogManager.open(context, 1, broker, configs, switchesFor(variant));
        const { manager } = this;
        return { shutdown: () => manager.shutdown(7, () => context.exit()) };
      },
    });
    this.world.start(this.node);
    this.manager.getOrCreate("t", 0, "topic-t", true);
  }

  get log(): Log {
    return this.manager.get("t", 0) as Log;
  }

  run(milliseconds: number): void {
    this.world.runUntil(this.world.now + milliseconds * 1000);
  }

  kill(): void {
    this.world.kill(this.node);
    this.world.start(this.node);
  }

  powerLoss(): void {
    this.world.powerOff(this.node);
    this.world.start(this.node);
  }

  /** An orderly stop and a new start. */
  restart(): void {
    this.world.stop(this.node);
    this.run(100);
    this.world.start(this.node);
  }

  /** Values of all records at or above `offset`, as reads below `bound` give them. */
  read(offset: number, bound: number = this.log.logEndOffset, maxBytes = 1_000_000): string {
    let values = "";
    let at = offset;
    for (;;) {
      const batches = this.log.read(at, bound, maxBytes, true);
      if (batches === null) return `${values}!`;
      if (batches.length === 0) return values;
      for (const batch of batches) {
        for (const [i, { value }] of batch.records.entries()) {
          if (batch.baseOffset + i >= at && !isRemoved(batch, i)) values += value;
        }
        at = batch.baseOffset + batch.lastOffsetDelta + 1;
      }
    }
  }
}

/** A batch with one record per `key=value`; `key=` is a tombstone. */
export function pairs(
  text: string,
  more: { producerId?: number; baseSequence?: number; timestamp?: number } = {},
): RecordBatch {
  const { producerId, baseSequence = 0, timestamp = 1000 } = more;
  const records = text.split(" ").map((pair) => {
    const [key = "", value = ""] = pair.split("=");
    return { timestamp, key, value: value === "" ? null : value, headers: [] };
  });
  if (producerId === undefined) return newBatch({ records });
  return newBatch({ records, producerId, producerEpoch: 0, baseSequence });
}

/** A batch with one record per letter. */
export function letters(
  text: string,
  more: { producerId?: number; baseSequence?: number; timestamp?: number } = {},
): RecordBatch {
  const { producerId, baseSequence, timestamp = 1000 } = more;
  const records = [...text].map((value) => ({ timestamp, key: null, value, headers: [] }));
  if (producerId === undefined) return newBatch({ records });
  return newBatch({ records, producerId, producerEpoch: 0, baseSequence: baseSequence ?? 0 });
}
