import { describe, expect, it } from "vitest";
import { type ChaosResult, chaos } from "./testing/chaos.ts";
import type { EnsembleOptions } from "./testing/ensemble.ts";

const SIZES = [3, 3, 5, 3, 7];

function options(seed: number): EnsembleOptions {
  const servers = SIZES[seed % SIZES.length] as number;
  // Every second run has snapshots, SNAPs and short memories.
  const config = seed % 2 === 0 ? {} : { snapCount: 40, commitLogCount: 20 };
  return { seed: `chaos-${seed}`, servers, config, checked: seed % 10 === 0 };
}

function lostWrites({ ensemble, acknowledged }: ChaosResult): string[] {
  const { tree } = ensemble.server(1).database;
  return acknowledged.filter((path) => tree.get(path) === undefined);
}

describe("random kills, power failures, partitions, pauses and resets [I-15] [ZFS-3]", () => {
  for (let first = 0; first < 200; first += 20) {
    it(`seeds ${first} to ${first + 19}: one history, nothing lost, progress after healing`, () => {
      for (let seed = first; seed < first + 20; seed++) {
        const result = chaos(options(seed));
        const { ensemble, ghost, progressed } = result;
        expect(ghost.violations, `seed ${seed}`).toEqual([]);
        expect(progressed, `seed ${seed}`).toBe(true);
        expect(lostWrites(result), `seed ${seed}`).toEqual([]);
        const hashes = ensemble.servers.map(
          ({ id }) => ensemble.server(id + 1).database.lastLoggedHash,
        );
        expect(new Set(hashes).size, `seed ${seed}`).toBe(1);
      }
    }, 60_000);
  }

  it("is a function of the seed", () => {
    const once = () => chaos(options(4)).ensemble.world.fingerprint.toString();
    expect(once()).toBe(once());
  });

  for (const variant of [
    "zookeeper-commit-without-quorum",
    "zookeeper-vote-ignores-zxid",
    "zookeeper-acknowledge-before-sync",
    "zookeeper-no-truncation",
    "zookeeper-reordered-commit",
    "zookeeper-epoch-not-raised",
    "zookeeper-expires-early",
  ]) {
    it(`shows the variant ${variant}`, () => {
      let caught = false;
      for (let seed = 0; seed < 100 && !caught; seed++) {
        caught = chaos({ ...options(seed), variant }).ghost.violations.length > 0;
      }
      expect(caught).toBe(true);
    }, 60_000);
  }
});
