/** Cuts clients and what they do: consumers, producers, records, keys, settings that do nothing. */
import {
  type Case,
  mapSends,
  type PlacedSend,
  type Producer,
  sendsOf,
  withScenario,
  withSends,
} from "./case.ts";
import { type Best, leaveOut, type Search, tryCase } from "./search.ts";
import { renumber } from "./topology.ts";

export function* cutConsumers(best: Best): Search {
  const { consumers } = best.case.scenario;
  const all = consumers.map((_, i) => i);
  // Numbers are of the consumers as they were: keep a case to build from.
  const origin = best.case;
  return yield* leaveOut(all, (kept) => keepConsumers({ ...origin, seed: best.case.seed }, kept));
}

function keepConsumers(from: Case, kept: readonly number[]): Case {
  const { consumers } = from.scenario;
  const rest = consumers.filter((_, i) => kept.includes(i));
  const numbers = new Map(kept.map((old, i) => [old + 1, i + 1]));
  return renumber(withScenario(from, { consumers: rest }), "c", numbers);
}

export function* cutRecords(best: Best, others: number): Search {
  const placed = sendsOf(best.case);
  if (placed.length === 0) return yield* cutIdleProducers(best);
  const origin = best.case;
  const build = (kept: readonly PlacedSend[]) =>
    withSends({ ...origin, seed: best.case.seed }, kept);
  let changed = yield* leaveOut(placed, build, others);
  if (yield* cutIdleProducers(best)) changed = true;
  if (yield* mergeProducers(best)) changed = true;
  return changed;
}

/** Producers that send nothing. */
function* cutIdleProducers(best: Best): Search {
  const { producers } = best.case.scenario;
  const busy: number[] = [];
  producers.forEach(({ sends }, i) => {
    if (sends === undefined || sends.length > 0) busy.push(i);
  });
  if (busy.length === producers.length) return false;
  return yield* tryCase(keepProducers(best.case, busy));
}

/** Groups of one producer each, or of several that stay as they are. */
function keepProducers(from: Case, kept: readonly number[]): Case {
  const numbers = new Map<number, number>();
  let before = 0;
  let after = 0;
  from.scenario.producers.forEach(({ count }, i) => {
    for (let j = 0; j < count; j++) {
      before++;
      if (kept.includes(i)) numbers.set(before, ++after);
    }
  });
  const producers = from.scenario.producers.filter((_, i) => kept.includes(i));
  return renumber(withScenario(from, { producers }), "p", numbers);
}

/** One producer that sends what several did. */
function* mergeProducers(best: Best): Search {
  const { producers } = best.case.scenario;
  const first = producers[0];
  if (first === undefined || producers.length < 2) return false;
  if (producers.some(({ sends }) => sends === undefined)) return false;
  const all = sendsOf(best.case).map(({ send }) => ({ producer: 0, send }));
  return yield* tryCase(keepProducers(withSends(best.case, all), [0]));
}

/** Fields that do nothing any more go back to their defaults; then those that may. */
export function* plainClients(best: Best): Search {
  const { producers, consumers } = best.case.scenario;
  const plain = producers.map((group): Producer => {
    if (group.sends === undefined) return group;
    const { topics: _, ...rest } = group;
    return { ...rest, rate: 50, keys: 10, maxOpen: 100, padding: 0 };
  });
  const differs = plain.some((group, i) => JSON.stringify(group) !== JSON.stringify(producers[i]));
  let changed = false;
  if (differs && (yield* tryCase(withScenario(best.case, { producers: plain })))) changed = true;
  if (consumers.some(({ reassignEvery }) => reassignEvery !== undefined)) {
    const always = consumers.map(({ reassignEvery: _, ...rest }) => rest);
    if (yield* tryCase(withScenario(best.case, { consumers: always }))) changed = true;
  }
  if (sendsOf(best.case).some(({ send }) => send.key !== undefined)) {
    const keyless = mapSends(best.case, ({ at, to }) => ({ at, to }));
    if (yield* tryCase(keyless)) changed = true;
  }
  return changed;
}
