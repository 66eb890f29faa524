/**
 * Another plan out of one that led somewhere new: shifts, stretches, drops, doubles and retargets
 * faults, or crosses two plans. Plain data in, plain data out; all choices are the stream's.
 */
import { MILLISECOND, type Micros, type RandomStream, SECOND } from "../../sim/index.ts";
import type { Fault, FaultPlan } from "../plan.ts";

export interface MutationContext {
  readonly random: RandomStream;
  /** Faults begin in [start, end), in the plan's time. */
  readonly start: Micros;
  readonly end: Micros;
  /** Names of nodes by group: a fault moves to another node of its target's group. */
  readonly groups: readonly (readonly string[])[];
}

/** The faults of a plan above this are thinned out: longer plans are slower, not better. */
const MOST_FAULTS = 60;

/** A changed copy of `plan`; `other` lends faults when the two are crossed. */
export function mutatePlan(plan: FaultPlan, other: FaultPlan, context: MutationContext): FaultPlan {
  const { random } = context;
  let faults = plan.faults.slice();
  if (random.chance(1, 4)) faults = cross(faults, other.faults, context);
  const changes = random.between(1, 4);
  for (let i = 0; i < changes; i++) faults = change(faults, other.faults, context);
  while (faults.length > MOST_FAULTS) faults.splice(random.below(faults.length), 1);
  faults.sort((a, b) => a.at - b.at);
  return { faults };
}

/** The begin of one plan with the end of the other. */
function cross(a: readonly Fault[], b: readonly Fault[], context: MutationContext): Fault[] {
  const cut = context.random.between(context.start, context.end);
  return [...a.filter(({ at }) => at < cut), ...b.filter(({ at }) => at >= cut)];
}

function change(faults: Fault[], other: readonly Fault[], context: MutationContext): Fault[] {
  const { random } = context;
  if (faults.length === 0) return other.slice();
  const place = random.below(faults.length);
  const fault = faults[place] as Fault;
  const copy = faults.slice();
  switch (random.below(7)) {
    case 0:
      copy[place] = shifted(fault, context, 50 * MILLISECOND);
      return copy;
    case 1:
      copy[place] = shifted(fault, context, 3 * SECOND);
      return copy;
    case 2:
      copy[place] = stretched(fault, random);
      return copy;
    case 3:
      copy.splice(place, 1);
      return copy;
    case 4:
      copy[place] = retargeted(fault, context);
      return copy;
    case 5:
      // The same once more, a little later and perhaps elsewhere: twice is how many bugs are met.
      copy.push(shifted(retargeted(fault, context), context, 5 * SECOND));
      return copy;
    default:
      if (other.length > 0) copy.push(random.pick(other));
      return copy;
  }
}

function shifted(fault: Fault, { random, start, end }: MutationContext, by: Micros): Fault {
  const at = fault.at + random.between(-by, by);
  return { ...fault, at: Math.max(start, Math.min(end - 1, at)) };
}

function stretched(fault: Fault, random: RandomStream): Fault {
  if (fault.duration === null || fault.duration === 0) return fault;
  const percent = random.pick([10, 50, 80, 150, 300]);
  return {
    ...fault,
    duration: Math.max(MILLISECOND, Math.floor((fault.duration * percent) / 100)),
  };
}

function retargeted(fault: Fault, { random, groups }: MutationContext): Fault {
  for (const group of groups) {
    if (group.includes(fault.target)) return { ...fault, target: random.pick(group) };
  }
  return fault;
}
