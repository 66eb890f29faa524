/**
 * Epoch-based truncation [REP-64, REP-86] over generated histories of leaders: a follower that fetches
 * until nothing diverges has cut exactly what differs from its leader (KIP-101, 279, 320).
 *
 * The histories are those that a partition can have: one leader per epoch, each starting from the log
 * it happens to have, followers that copy some of it, fast changes of leader in between.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assignEpoch,
  type EpochEntry,
  truncateEpochsFromEnd,
} from "../src/model/kafka/log/leader-epoch-cache.ts";
import { findDivergence, truncationPoint } from "../src/model/kafka/replica/truncation.ts";

interface Replica {
  log: { readonly epoch: number; readonly value: number }[];
  entries: readonly EpochEntry[];
}

interface Term {
  readonly leader: number;
  readonly appends: number;
  /** Records that each other replica copies in this term; null: it hears nothing of the term. */
  readonly copies: readonly (number | null)[];
}

const REPLICAS = 3;
const term: fc.Arbitrary<Term> = fc.record({
  leader: fc.nat(REPLICAS - 1),
  appends: fc.nat(4),
  copies: fc.array(fc.option(fc.nat(6)), { minLength: REPLICAS, maxLength: REPLICAS }),
});

function commonPrefix(a: Replica, b: Replica): number {
  let length = 0;
  while (length < a.log.length && length < b.log.length) {
    const left = a.log[length];
    const right = b.log[length];
    if (left?.epoch !== right?.epoch || left?.value !== right?.value) break;
    length++;
  }
  return length;
}

/** The follower's loop [REP-80..84]; returns how many rounds it took. */
function reconcile(follower: Replica, leader: Replica): number {
  for (let round = 0; round < 100; round++) {
    const last = follower.entries.at(-1)?.epoch ?? -1;
    if (last < 0) return round;
    const found = findDivergence(leader.entries, leader.log.length, last, follower.log.length);
    if (found === "consistent") return round;
    const end = follower.log.length;
    const answer = found === "undefined" ? { epoch: -1, endOffset: leader.log.length } : found;
    const { offset } = truncationPoint(answer, follower.entries, end, end);
    follower.log.length = Math.min(offset, end);
    follower.entries = truncateEpochsFromEnd(follower.entries, offset);
  }
  throw new Error("the follower never stops truncating");
}

function play(terms: readonly Term[], afterwards: (f: Replica, l: Replica, cut: number) => void) {
  const replicas: Replica[] = Array.from({ length: REPLICAS }, () => ({ log: [], entries: [] }));
  let value = 0;
  terms.forEach(({ leader, appends, copies }, epoch) => {
    const lead = replicas[leader] as Replica;
    lead.entries = assignEpoch(lead.entries, epoch, lead.log.length);
    for (let i = 0; i < appends; i++) lead.log.push({ epoch, value: value++ });
    copies.forEach((count, id) => {
      const follower = replicas[id] as Replica;
      if (count === null || id === leader) return;
      const common = commonPrefix(follower, lead);
      reconcile(follower, lead);
      afterwards(follower, lead, common);
      for (const record of lead.log.slice(follower.log.length, follower.log.length + count)) {
        follower.entries = assignEpoch(follower.entries, record.epoch, follower.log.length);
        follower.log.push(record);
      }
    });
  });
}

describe("truncation on fetch", () => {
  it("leaves exactly the common prefix of follower and leader", () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 14 }), (terms) => {
        play(terms, (follower, leader, common) => {
          expect(follower.log.length).toBe(common);
          expect(follower.log).toEqual(leader.log.slice(0, common));
        });
      }),
      { seed: 20_261_122, numRuns: 2_000 },
    );
  });
});
