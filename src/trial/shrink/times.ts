/**
 * Shortens and rounds times: what comes after the finding goes, long waits become short ones, faults
 * last less, and times become numbers that can be read.
 */
import type { Fault } from "../../faults/plan.ts";
import {
  formatDuration,
  MILLISECOND,
  type Micros,
  parseDuration,
  SECOND,
} from "../../sim/index.ts";
import {
  type Case,
  durationOf,
  mapSends,
  sendsOf,
  sendTime,
  withDuration,
  withFaults,
  withScenario,
  withSends,
} from "./case.ts";
import { mapOperations, operationAt, operationTime } from "./operations.ts";
import { type Best, type Search, tryCase } from "./search.ts";

/** Between the finding and the end of the load, so that a small shift does not hide it. */
const MARGIN: Micros = 2 * SECOND;

/** Without what came after the finding; nothing changes before it. */
export function* trim(best: Best): Search {
  const { outcome } = best;
  if (outcome.phase !== "chaos" && outcome.phase !== "boot") return false;
  const end = Math.max(0, outcome.endedAt - outcome.loadFrom);
  const duration = Math.ceil((end + MARGIN) / SECOND) * SECOND;
  const before = best.case;
  const sends = sendsOf(before);
  const kept = sends.filter(({ send }) => sendTime(send) <= end);
  const early = mapOperations(withSends(before, kept), (entry) =>
    operationTime(entry) <= end ? entry : null,
  );
  let trimmed = withFaults(early, (fault) => (fault.at <= end ? fault : null));
  if (duration < durationOf(before)) trimmed = withDuration(trimmed, duration);
  const same =
    kept.length === sends.length &&
    trimmed.origins.length === before.origins.length &&
    trimmed.scenario.admin.length === before.scenario.admin.length &&
    duration >= durationOf(before);
  return same ? false : yield* tryCase(trimmed);
}

/**
 * A finding of the healed cluster, made while the load still runs: faults end where healing would
 * have ended them. Then nothing has to be run after the finding.
 */
export function* findDuringLoad(best: Best): Search {
  const { phase, endedAt, loadFrom } = best.outcome;
  if (phase !== "heal" && phase !== "converge") return false;
  const healedAt = durationOf(best.case);
  const ended = withFaults(best.case, (fault) => {
    if (fault.duration === 0) return fault;
    const left = healedAt - fault.at;
    const duration = Math.min(fault.duration ?? left, left);
    return duration <= 0 ? null : ({ ...fault, duration } as Fault);
  });
  return yield* tryCase(withDuration(ended, endedAt - loadFrom + 10 * SECOND));
}

/** Longer than a session, a lagging replica and a delivery take, with some to spare. */
const CONVERGED = { fast: "60s", medium: "2m", default: "4m" } as const;

/** Less waiting for what never comes; `waitInFull` says afterwards whether that was right. */
export function* waitLess(best: Best): Search {
  if (best.outcome.finding.check !== "Convergence") return false;
  const converge = CONVERGED[best.case.scenario.timeouts];
  const shorter = (parseDuration(converge) as Micros) < convergeOf(best.case);
  return shorter && (yield* tryCase(withScenario(best.case, { converge })));
}

export function* waitInFull(best: Best, converge: string): Search {
  if (best.case.scenario.converge === converge) return false;
  return yield* tryCase(withScenario(best.case, { converge }), 3);
}

function convergeOf({ scenario }: Case): Micros {
  return parseDuration(scenario.converge) as Micros;
}

export function* shortenTimes(best: Best): Search {
  let changed = yield* shiftStart(best);
  if (yield* closeGaps(best)) changed = true;
  if (yield* shortenEnd(best)) changed = true;
  return changed;
}

/** Where something of the case happens, in order, from 0 on. */
export function momentsOf(from: Case): Micros[] {
  const moments = new Set<Micros>([0]);
  for (const { at, duration } of from.scenario.faults) {
    moments.add(at);
    if (duration !== null && duration > 0) moments.add(at + duration);
  }
  for (const { send } of sendsOf(from)) moments.add(sendTime(send));
  for (const entry of from.scenario.admin) moments.add(operationTime(entry));
  return [...moments].sort((a, b) => a - b);
}

/** Every time `t` of the case becomes `warp(t)`, which must not decrease. */
export function warped(from: Case, warp: (at: Micros) => Micros): Case {
  const faults = withFaults(from, (fault) => {
    const at = warp(fault.at);
    if (fault.duration === null || fault.duration === 0) return { ...fault, at };
    const duration = Math.max(MILLISECOND, warp(fault.at + fault.duration) - at);
    return { ...fault, at, duration } as Fault;
  });
  const operations = mapOperations(faults, (entry) =>
    operationAt(entry, warp(operationTime(entry))),
  );
  const sends = mapSends(operations, (send) => ({
    ...send,
    at: formatDuration(warp(sendTime(send))),
  }));
  const moved = durationOf(from) - warp(durationOf(from));
  return withDuration(sends, Math.max(SECOND, durationOf(from) - moved));
}

function* shiftStart(best: Best): Search {
  for (const start of [100 * MILLISECOND, SECOND, 3 * SECOND]) {
    const first = momentsOf(best.case)[1];
    if (first === undefined || first <= start * 1.5) return false;
    const by = first - start;
    if (yield* tryCase(warped(best.case, (at) => Math.max(0, at - by)))) return true;
  }
  return false;
}

/** No two things that follow each other further apart than needed: all at once, then each. */
function* closeGaps(best: Best): Search {
  let changed = false;
  for (const most of [500 * MILLISECOND, 2 * SECOND, 5 * SECOND]) {
    const moments = momentsOf(best.case);
    const wide = moments.some((at, i) => i > 0 && at - (moments[i - 1] as number) > most * 1.5);
    if (!wide) continue;
    if (
      yield* tryCase(
        warped(
          best.case,
          capped(moments, () => most),
        ),
      )
    ) {
      changed = true;
      break;
    }
  }
  for (let i = momentsOf(best.case).length - 1; i > 0; i--) {
    for (const divisor of [8, 2]) {
      const moments = momentsOf(best.case);
      if (i >= moments.length) break;
      const gap = (moments[i] as number) - (moments[i - 1] as number);
      if (gap < SECOND) break;
      const most = Math.floor(gap / divisor);
      const warp = capped(moments, (j) => (j === i ? most : Number.POSITIVE_INFINITY));
      if (yield* tryCase(warped(best.case, warp))) {
        changed = true;
        break;
      }
    }
  }
  return changed;
}

/** Moves each moment so far forward that the gap before it is at most `most(i)`. */
function capped(moments: readonly Micros[], most: (i: number) => Micros): (at: Micros) => Micros {
  const places = moments.slice();
  for (let i = 1; i < moments.length; i++) {
    const gap = (moments[i] as number) - (moments[i - 1] as number);
    places[i] = (places[i - 1] as number) + Math.min(gap, most(i));
  }
  return (at) => {
    let i = moments.length - 1;
    while (i > 0 && (moments[i] as number) > at) i--;
    return (places[i] as number) + (at - (moments[i] as number));
  };
}

/** What is judged at the end needs less of a load after the last thing that happens. */
function* shortenEnd(best: Best): Search {
  const { phase } = best.outcome;
  if (phase === "boot" || phase === "chaos") return false;
  const moments = momentsOf(best.case);
  const last = moments[moments.length - 1] as number;
  for (const rest of [SECOND, 5 * SECOND]) {
    const duration = Math.ceil((last + rest) / SECOND) * SECOND;
    if (duration >= durationOf(best.case)) return false;
    if (yield* tryCase(withDuration(best.case, duration))) return true;
  }
  return false;
}

// --- round numbers ----------------------------------------------------------------------------------

const GRAINS: readonly Micros[] = [SECOND, 100 * MILLISECOND, 10 * MILLISECOND, MILLISECOND];

export function* roundTimes(best: Best): Search {
  let changed = false;
  for (const grain of GRAINS) {
    const rounded = roundAll(best.case, grain);
    if (rounded === null) break;
    if (yield* tryCase(rounded)) {
      changed = true;
      break;
    }
  }
  for (let i = 0; i < best.case.scenario.faults.length; i++) {
    for (const grain of GRAINS.slice(0, 3)) {
      const rounded = withFaults(best.case, (fault, j) =>
        j === i ? roundFault(fault, grain) : fault,
      );
      if (JSON.stringify(rounded) === JSON.stringify(best.case)) break;
      if (yield* tryCase(rounded)) {
        changed = true;
        break;
      }
    }
  }
  return changed;
}

/** Whole seconds of load. */
export function* roundDuration(best: Best): Search {
  const duration = Math.ceil(durationOf(best.case) / SECOND) * SECOND;
  if (duration === durationOf(best.case)) return false;
  return yield* tryCase(withDuration(best.case, duration));
}

function round(at: Micros, grain: Micros): Micros {
  return Math.round(at / grain) * grain;
}

function roundFault(fault: Fault, grain: Micros): Fault {
  const at = round(fault.at, grain);
  if (fault.duration === null || fault.duration === 0) return { ...fault, at };
  return { ...fault, at, duration: Math.max(grain, round(fault.duration, grain)) } as Fault;
}

/** null when all times are round already. */
function roundAll(from: Case, grain: Micros): Case | null {
  const faults = withFaults(from, (fault) => roundFault(fault, grain));
  const rounded = mapSends(
    mapOperations(faults, (entry) => operationAt(entry, round(operationTime(entry), grain))),
    (send) => ({ ...send, at: formatDuration(round(sendTime(send), grain)) }),
  );
  return JSON.stringify(rounded) === JSON.stringify(from) ? null : rounded;
}
