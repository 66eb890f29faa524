/**
 * Makes limits smaller that a failure has to fill: a segment of 100,000 bytes takes a thousand records
 * before the next one begins, a segment of 200 takes two. Left out: limits of time (times.ts), and
 * going back to defaults (settings.ts), which takes away again what turns out not to matter.
 */
import type { Case } from "./case.ts";
import { sendsOf, withScenario, withSends } from "./case.ts";
import { type Best, type Search, tryCase } from "./search.ts";

/** Whose configuration it is, its key, and small values, the smallest first. */
interface Limit {
  readonly of: "cluster" | "consumers";
  readonly key: string;
  readonly values: readonly number[];
}

/** A fetch of one byte still brings one batch [REP-60]; a segment must be able to take a batch. */
const LIMITS: readonly Limit[] = [
  { of: "cluster", key: "replica.fetch.max.bytes", values: [1] },
  { of: "cluster", key: "log.segment.bytes", values: [200, 1000] },
  { of: "consumers", key: "max.partition.fetch.bytes", values: [1] },
  { of: "consumers", key: "max.poll.records", values: [1] },
];

/** A case with so few is small enough to be read. */
const FEW_RECORDS = 8;

/** A smaller limit is worth keeping with half of the records: the first of them, or the last. */
export function* lowerLimits(best: Best): Search {
  let changed = false;
  for (const { of, key, values } of LIMITS) {
    for (const value of values) {
      const sends = sendsOf(best.case);
      if (sends.length <= FEW_RECORDS) return changed;
      const lowered = withLimit(best.case, of, key, value);
      if (lowered === null) continue;
      const few = Math.ceil(sends.length / 2);
      const lower =
        (yield* tryCase(withSends(lowered, sends.slice(0, few)))) ||
        (yield* tryCase(withSends(lowered, sends.slice(-few))));
      if (!lower) continue;
      changed = true;
      break;
    }
  }
  return changed;
}

/** null where the limit is as small already, or nobody has it. */
function withLimit(from: Case, of: Limit["of"], key: string, value: number): Case | null {
  const { cluster, consumers } = from.scenario;
  const lower = (config: { readonly [key: string]: unknown }) => {
    const present = config[key];
    return typeof present === "number" && present <= value ? null : { ...config, [key]: value };
  };
  if (of === "cluster") {
    const config = lower(cluster.config);
    return config === null
      ? null
      : withScenario(from, { cluster: { ...cluster, config: config as typeof cluster.config } });
  }
  const lowered = consumers.map((group) => {
    const config = lower(group.config);
    return config === null ? group : { ...group, config: config as typeof group.config };
  });
  const same = lowered.every((group, i) => group === consumers[i]);
  return same ? null : withScenario(from, { consumers: lowered });
}
