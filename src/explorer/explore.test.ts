import { describe, expect, it } from "vitest";
import { compareDecisions } from "./agreement.ts";
import { explore } from "./explore.ts";
import { AS_KAFKA_HAS_IT, hasDecreasingEpochs, MODEL } from "./model-protocols.ts";
import { ABLATIONS, MODULES } from "./module-protocols.ts";
import { leaderInIsr, strongIsr, weakIsr } from "./properties.ts";
import type { Protocol } from "./protocol.ts";
import type { Sizes } from "./state.ts";

const TWO: Sizes = { replicas: 2, logSize: 2, maxRecords: 2, maxLeaderEpoch: 2 };
const THREE: Sizes = { replicas: 3, logSize: 2, maxRecords: 2, maxLeaderEpoch: 2 };

function all(protocol: Protocol, sizes: Sizes, symmetry = false) {
  const { states, levels } = explore({ protocol, sizes, symmetry });
  return { states, depth: levels.length };
}

function shortest(protocol: Protocol, sizes: Sizes, property = strongIsr): number | null {
  const { violation } = explore({ protocol, sizes, symmetry: sizes.replicas > 2, property });
  return violation?.length ?? null;
}

// The figures are those of TLC on the modules (CHECKS §3.2).
describe.each([
  ["the modules", MODULES],
  ["the model's own decisions", MODEL],
])("distinct states as TLC counts them, by %s", (_, protocols) => {
  it("2 replicas, 2 records, 3 epochs: 5,973, 9,027 and 8,429", () => {
    expect(all(protocols.Kip320, TWO)).toEqual({ states: 5973, depth: 18 });
    expect(all(protocols.Kip279, TWO)).toEqual({ states: 9027, depth: 18 });
    expect(all(protocols.Kip320FirstTry, TWO)).toMatchObject({ states: 8429 });
  });

  it("3 replicas, up to their names: 123,311", () => {
    expect(all(protocols.Kip320, THREE, true)).toEqual({ states: 123_311, depth: 26 });
  });

  it("shortest violations with 2 replicas: 8 and 9, 11 and 11, none", () => {
    const { KafkaTruncateToHighWatermark, Kip101, Kip279, Kip320FirstTry, Kip320 } = protocols;
    expect(shortest(KafkaTruncateToHighWatermark, TWO, weakIsr)).toBe(8);
    expect(shortest(KafkaTruncateToHighWatermark, TWO)).toBe(9);
    expect(shortest(Kip101, TWO, weakIsr)).toBe(11);
    expect(shortest(Kip101, TWO)).toBe(11);
    for (const protocol of [Kip279, Kip320FirstTry, Kip320]) {
      expect(shortest(protocol, TWO, weakIsr)).toBe(null);
      expect(shortest(protocol, TWO)).toBe(null);
    }
  });

  it("shortest violations with 3 replicas: 8, 10, 10, 11 and 12, none", () => {
    expect(shortest(protocols.KafkaTruncateToHighWatermark, THREE, weakIsr)).toBe(8);
    expect(shortest(protocols.KafkaTruncateToHighWatermark, THREE)).toBe(8);
    expect(shortest(protocols.Kip101, THREE, weakIsr)).toBe(10);
    expect(shortest(protocols.Kip101, THREE)).toBe(10);
    expect(shortest(protocols.Kip279, THREE, weakIsr)).toBe(10);
    expect(shortest(protocols.Kip279, THREE)).toBe(10);
    expect(shortest(protocols.Kip320FirstTry, THREE, weakIsr)).toBe(11);
    expect(shortest(protocols.Kip320FirstTry, THREE)).toBe(12);
    expect(shortest(protocols.Kip320, THREE)).toBe(null);
  });
});

describe("the model and the modules", () => {
  it.each(Object.keys(MODULES) as (keyof typeof MODULES)[])(
    "decide alike in every state of %s",
    (name) => {
      let asked = 0;
      let disagreements = 0;
      explore({
        protocol: MODULES[name],
        sizes: TWO,
        visit: (state) => {
          const agreement = compareDecisions(state, MODULES[name], MODEL[name]);
          asked += agreement.asked;
          disagreements += agreement.disagreements.length;
        },
      });
      expect(disagreements).toBe(0);
      expect(asked).toBeGreaterThan(10_000);
    },
  );

  it("differ for leader-epoch caches only where epochs decrease along a log", () => {
    let differing = 0;
    explore({
      protocol: MODULES.Kip279,
      sizes: TWO,
      visit: (state) => {
        const { disagreements } = compareDecisions(
          state,
          MODULES.Kip279,
          AS_KAFKA_HAS_IT.Kip279WithCaches,
        );
        for (const { decision } of disagreements) {
          differing++;
          expect(decision).toBe("cutWhenFollowing");
          expect(hasDecreasingEpochs(state, 0) || hasDecreasingEpochs(state, 1)).toBe(true);
        }
      },
    });
    expect(differing).toBe(12);
  });

  it("Kafka's rule for joining the ISR reaches more states, and StrongIsr holds [REP-53]", () => {
    const { Kip320WithOwnRule } = AS_KAFKA_HAS_IT;
    expect(all(Kip320WithOwnRule, TWO)).toEqual({ states: 6295, depth: 18 });
    expect(shortest(Kip320WithOwnRule, THREE)).toBe(null);
    expect(shortest(Kip320WithOwnRule, THREE, leaderInIsr)).toBe(null);
  });

  it("without fencing, caches and the fall-back lose records with two replicas already", () => {
    expect(shortest(AS_KAFKA_HAS_IT.Kip279WithCaches, TWO)).toBe(11);
    expect(shortest(AS_KAFKA_HAS_IT.Kip279WithFallback, TWO)).toBe(11);
  });
});

describe("Kip320 with one guard removed", () => {
  it.each([
    ["UNCLEAN_ELECTION", 5],
    ["ISR_NO_CAS", 8],
    ["NO_TRUNCATION", 9],
    ["TRUNC_TO_HW", 11],
    ["EXPAND_WITHOUT_EPOCH", 11],
    ["OLD_EXPAND", 11],
    ["UNFENCED_HW_INC", 12],
    ["UNFENCED_TRUNC", 13],
    ["KIP101_LOOKUP", 13],
    ["UNFENCED_FETCH", null],
  ] as const)("%s: shortest violation %s", (name, length) => {
    expect(shortest(ABLATIONS[name], THREE)).toBe(length);
  });

  it("UNFENCED_FETCH is not found at this size: 144,225 states", () => {
    expect(all(ABLATIONS.UNFENCED_FETCH, THREE, true).states).toBe(144_225);
  });
});

describe("a counterexample", () => {
  it("is told step by step, under symmetry too", () => {
    const { violation } = explore({
      protocol: MODULES.KafkaTruncateToHighWatermark,
      sizes: THREE,
      symmetry: true,
      property: weakIsr,
    });
    expect(violation).toHaveLength(8);
    expect(violation?.[0]).toMatch(/^controller elects b\d$/);
    expect(violation?.at(-1)).toMatch(/becomes follower in epoch/);
  });
});
