/**
 * Records that compaction removed: readers that come later never see them, and go over their offsets
 * [C-43, C-44]. Whether they were rightly removed is for CompactionKeepsLatest to say.
 */
import type { LogCleaned } from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";

/** The first removals of a partition's records on any replica. */
interface Removals {
  readonly byValue: Map<string, Removal>;
  /** An offset may have held several values; any of them will do for a reader that found a gap. */
  readonly byOffset: Map<number, Removal>;
}

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
  readonly #removals = new Map<string, Removals>();

  constructor(observers: Observers) {
    observers.on<LogCleaned>("LogCleaned", ({ topic, partition, broker, removed }, _node, at) => {
      const name = `${topic}-${partition}`;
      let known = this.#removals.get(name);
      if (known === undefined) {
        known = { byValue: new Map(), byOffset: new Map() };
        this.#removals.set(name, known);
      }
      for (const { batch, positions } of removed) {
        for (const position of positions) {
          const { key = null, value = null } = batch.records[position] ?? {};
          const offset = batch.baseOffset + position;
          const removal: Removal = { at, broker, key: key ?? "", offset };
          if (!known.byOffset.has(offset)) known.byOffset.set(offset, removal);
          if (value !== null && !known.byValue.has(value)) known.byValue.set(value, removal);
        }
      }
    });
  }

  excuse(finding: Finding): Excuse | null {
    const { check, topic, partition, record, at } = finding;
    const known = this.#removals.get(`${topic}-${partition}`);
    if (known === undefined) return null;
    if (GONE.has(check)) {
      const removal = record === undefined ? undefined : known.byValue.get(record);
      if (removal === undefined || removal.at > at) return null;
      return { clause: "C-44", because: `"${record}": ${words(removal)}` };
    }
    if (!SKIPS.has(check)) return null;
    const { offset, wentOnAt } = finding;
    if (offset === undefined || wentOnAt === undefined) return null;
    for (let between = offset + 1; between < wentOnAt; between++) {
      const removal = known.byOffset.get(between);
      if (removal === undefined || removal.at > at) return null;
    }
    const first = known.byOffset.get(offset + 1);
    if (first === undefined) return null;
    const gone = `all records between offsets ${offset} and ${wentOnAt} had gone`;
    const because = `${gone}; ${words(first)}`;
    return { clause: "C-43", because };
  }
}

function words({ at, broker, key, offset }: Removal): string {
  return `broker ${broker} compacted offset ${offset} of key "${key}" away at ${time(at)}`;
}
