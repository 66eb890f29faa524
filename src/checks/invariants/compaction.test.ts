import { describe, expect, it } from "vitest";
import { newBatch, stampBatch } from "../../model/kafka/protocol/records.ts";
import { Stream } from "../testing/stream.ts";

const PLACE = { topic: "orders", partition: 0 } as const;

/** Broker 1 leads and has a batch of producer 9 for each `key=value`, committed below `commit`. */
function compacted(pairs: readonly string[], commit: number) {
  const stream = new Stream().committed().lead(1, 0, [1, 2, 3]);
  const batches = pairs.map((pair, offset) => {
    const [key = "", value = ""] = pair.split("=");
    const records = [{ timestamp: 0, key, value, headers: [] }];
    const made = newBatch({ records, producerId: 9, producerEpoch: 0, baseSequence: offset });
    const batch = stampBatch(made, offset, 0);
    stream.state({
      kind: "LogAppended",
      broker: 1,
      ...PLACE,
      batch,
      asLeader: true,
      leaderEpoch: 0,
      prefixHashBefore: 0,
      prefixHash: 0,
    });
    return batch;
  });
  stream.commit(1, commit);
  const clean = (offset: number, whole = true) => {
    const batch = batches[offset];
    if (batch === undefined) throw new RangeError("no such batch");
    const removed = [{ batch, positions: [0], whole }];
    stream.state({ kind: "LogCleaned", broker: 1, ...PLACE, removed });
    return stream.caught.filter((check) => check.startsWith("Compaction"));
  };
  return { clean };
}

describe("compaction", () => {
  it("may remove what a later committed record of the key supersedes [C-44, LOG-51]", () => {
    expect(compacted(["a=1", "b=2", "a=3"], 3).clean(0)).toEqual([]);
  });

  it("must keep the latest value, and what only an uncommitted one follows [LOG-50]", () => {
    expect(compacted(["a=1", "b=2", "a=3"], 3).clean(1)).toEqual(["CompactionKeepsLatest"]);
    expect(compacted(["a=1", "b=2", "a=3"], 2).clean(0)).toEqual(["CompactionKeepsLatest"]);
  });

  it("must keep the last batch of a producer, if need be empty [LOG-54]", () => {
    const last = ["a=1", "b=2", "b=3"];
    expect(compacted(last, 3).clean(2)).toContain("CompactionKeepsSequences");
    expect(compacted(last, 3).clean(2, false)).not.toContain("CompactionKeepsSequences");
    expect(compacted(last, 3).clean(1)).toEqual([]);
  });
});
