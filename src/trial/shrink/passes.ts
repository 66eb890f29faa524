/**
 * The order of the passes: first what makes trials cheap, then what counts, again and again until
 * nothing more can be cut; in the end each fault alone, under other seeds too.
 */
import type { Fault } from "../../faults/plan.ts";
import { withFaults } from "./case.ts";
import { cutConsumers, cutRecords, plainClients } from "./clients.ts";
import { withExplicitReplicas, withExplicitSends, withSingleConsumers } from "./explicit.ts";
import { lowerLimits } from "./limits.ts";
import { cutOperations } from "./operations.ts";
import { type Best, leaveOut, type Search, tryCase } from "./search.ts";
import { cutSettings } from "./settings.ts";
import { settle } from "./settle.ts";
import {
  findDuringLoad,
  roundDuration,
  roundTimes,
  shortenTimes,
  trim,
  waitInFull,
  waitLess,
} from "./times.ts";
import { cutTopology } from "./topology.ts";

/** Rounds through all passes at most: each must have changed something to go on. */
const ROUNDS = 4;
/** Seeds that a small case may be tried under besides its own. */
const OTHERS = 3;

export function* shrinkPasses(best: Best): Search {
  yield* makeExplicit(best, OTHERS);
  yield* findDuringLoad(best);
  const { converge } = best.case.scenario;
  yield* waitLess(best);
  yield* trim(best);
  yield* cutConsumers(best);
  yield* cutTopology(best, 0);
  for (let round = 0; round < ROUNDS; round++) {
    let changed = yield* cutFaults(best, 0);
    if (yield* cutOperations(best, 0)) changed = true;
    if (yield* trim(best)) changed = true;
    if (yield* makeExplicit(best, OTHERS)) changed = true;
    if (yield* cutRecords(best, 0)) changed = true;
    if (yield* lowerLimits(best)) changed = true;
    if (round > 0 && (yield* cutConsumers(best))) changed = true;
    if (yield* shortenTimes(best)) changed = true;
    if (yield* cutTopology(best, OTHERS)) changed = true;
    if (yield* cutSettings(best)) changed = true;
    if (yield* plainClients(best)) changed = true;
    if (yield* trim(best)) changed = true;
    if (!changed) break;
  }
  yield* cutFaults(best, OTHERS);
  yield* cutOperations(best, OTHERS);
  yield* cutRecords(best, OTHERS);
  yield* plainFaults(best);
  yield* roundTimes(best);
  yield* roundDuration(best);
  yield* waitInFull(best, converge);
  yield* settle(best);
  yield* trim(best);
  // Each fault alone: what this pass leaves is necessary.
  yield* cutFaults(best, OTHERS);
  return true;
}

/** Writes down what the seed drew; what cannot be now, may be when less is left of the case. */
function* makeExplicit(best: Best, others: number): Search {
  const { topics, producers } = best.case.scenario;
  const placed = topics.every(({ replicas }) => replicas !== undefined);
  const listed = producers.every(({ sends }) => sends !== undefined);
  if (placed && listed) return false;
  const { outcome } = best;
  const from = withSingleConsumers(best.case);
  const both = withExplicitSends(withExplicitReplicas(from, outcome), outcome);
  if (yield* tryCase(both, others)) return true;
  if (!placed && (yield* tryCase(withExplicitReplicas(from, outcome), others))) return true;
  return !listed && (yield* tryCase(withExplicitSends(from, outcome), others));
}

/** Networks faults without peers that say nothing: the target itself. */
function* plainFaults(best: Best): Search {
  const plain = withFaults(best.case, (fault) => {
    if (!("peers" in fault) || fault.peers === null) return fault;
    const own = fault.target.split(", ");
    const others = fault.peers.split(", ").filter((name) => !own.includes(name));
    return others.length === 0 ? fault : ({ ...fault, peers: others.join(", ") } as Fault);
  });
  if (JSON.stringify(plain) === JSON.stringify(best.case)) return false;
  return yield* tryCase(plain);
}

function* cutFaults(best: Best, others: number): Search {
  const origin = best.case;
  const all = origin.scenario.faults.map((_, i) => i);
  return yield* leaveOut(
    all,
    (kept) => {
      const base = { ...origin, seed: best.case.seed };
      return withFaults(base, (fault, i) => (kept.includes(i) ? fault : null));
    },
    others,
  );
}
