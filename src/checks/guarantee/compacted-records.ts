/**
 * Records that compaction removed: readers that come later never see them, and go over their offsets
 * [C-43, C-44]. Whether they were rightly removed is for CompactionKeepsLatest to say.
 */
import type { LogCleaned } from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

interface Removal {
  readonly at: Micros;
  readonly broker: number;
  readonly offset: number;
  readonly key: string;
}

/** That a record was never read. */
const GONE: ReadonlySet<string> = new Set(["lost-write", "unseen"]);
/** That a reader left records out. */
const SKIPS: ReadonlySet<string> = new Set(["poll-skip", "int-poll-skip"]);

export class CompactedRecords {
  /** First removal of each record on any replica, by partition and value. */
  readonly #removals = new Map<string, Map<string, Removal>>();

  constructor(observers: Observers) {
    observers.on<LogCleaned>("LogCleaned", ({ topic, partition, broker, removed }, _node, at) => {
      const name = `${topic}-${partition}`;
      let known = this.#removals.get(name);
      if (known === undefined) {
        known = new Map();
        this.#removals.set(name, known);
      }
      for (const { batch, positions } of removed) {
        for (const position of positions) {
          const { key = null, value = null } = batch.records[position] ?? {};
          if (key === null || value === null || known.has(value)) continue;
          known.set(value, { at, broker, key, offset: batch.baseOffset + position });
        }
      }
    });
  }

  excuse(finding: Finding): Excuse | null {
    const { check, topic, partition, record, at } = finding;
    const known = this.#removals.get(`${topic}-${partition}`);
    if (known === undefined) return null;
    if (GONE.has(check)) {
      const removal = record === undefined ? undefined : known.get(record);
      if (removal === undefined || removal.at > at) return null;
      return { clause: "C-44", because: `"${record}": ${words(removal)}` };
    }
    if (!SKIPS.has(check)) return null;
    const { offset = -1, skipped } = finding;
    if (skipped === undefined) return null;
    let first: Removal | null = null;
    for (const value of skipped) {
      const removal = known.get(value);
      if (removal === undefined || removal.at > at) return null;
      first ??= removal;
    }
    if (first === null) return null;
    const because = `from offset ${offset} on ${skipped.length} records had gone; ${words(first)}`;
    return { clause: "C-43", because };
  }
}

function words({ at, broker, key, offset }: Removal): string {
  return `broker ${broker} compacted offset ${offset} of key "${key}" away at ${time(at)}`;
}
