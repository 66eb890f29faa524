import { describe, expect, it } from "vitest";
import { Layout, State } from "./state.ts";
import { StateSet } from "./state-set.ts";

const layout = new Layout({ replicas: 3, logSize: 3, maxRecords: 3, maxLeaderEpoch: 2 });

function sample(): State {
  const state = new State(layout);
  state.publish(1, 0b111);
  state.publish(2, 0b110);
  state.setBelief(1, 0, 1, 0b111);
  state.setBelief(2, 1, 2, 0b110);
  state.append(1, state.takeNextRecord(0));
  state.append(1, state.takeNextRecord(0));
  state.append(2, state.record(1, 0));
  state.append(2, state.takeNextRecord(1));
  state.setHighWatermark(1, 1);
  state.truncate(1, 1);
  return state;
}

describe("a state in words", () => {
  it("comes back as it was", () => {
    const words = new Uint32Array(layout.wordCount + 1);
    const packed = words.subarray(1);
    sample().encode(packed);
    const back = new State(layout);
    back.decode(words, 1);
    expect(back).toEqual(sample());
    expect([back.logEnd(0), back.logEnd(1), back.logEnd(2)]).toEqual([0, 1, 2]);
    expect(back.recordEpoch(2, 1)).toBe(1);
    expect(back.allWritten).toBe(true);
  });

  it("is the same for all names of the replicas, if canonical", () => {
    const scratch = new State(layout);
    const candidate = new Uint32Array(layout.wordCount);
    const canonical = (leader: number): Uint32Array => {
      const state = new State(layout);
      state.publish(leader, 0b111 & ~(1 << ((leader + 1) % 3)));
      state.setBelief(leader, 0, leader, 1 << leader);
      state.append(leader, state.takeNextRecord(0));
      const words = new Uint32Array(layout.wordCount);
      state.encodeCanonical(words, scratch, candidate);
      return words;
    };
    expect(canonical(1)).toEqual(canonical(0));
    expect(canonical(2)).toEqual(canonical(0));
  });
});

describe("a set of states", () => {
  it("keeps each once, with its parent, while it grows", () => {
    const set = new StateSet(2);
    const words = new Uint32Array(2);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5000; i++) {
        words.set([i, i * 7]);
        expect(set.add(words, i - 1, i % 100)).toBe(round === 0);
      }
    }
    expect(set.size).toBe(5000);
    expect([set.parent(4999), set.step(4999)]).toEqual([4998, 99]);
    expect([...set.words.subarray(2 * 4999, 2 * 5000)]).toEqual([4999, 4999 * 7]);
  });
});
