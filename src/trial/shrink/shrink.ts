/**
 * Cuts a failing trial down to what is necessary: faults, nodes, partitions, clients, records, times
 * and configuration, as long as the same check still fails.
 *
 * A `Shrinker` does one trial per `step`, so that a command can show progress and a page stay alive;
 * `shrink` does them all. The same request gives the same result. What comes out is explicit: faults
 * by name and time, records one by one, replicas by broker; nothing of it is drawn when it runs.
 */
import type { Finding } from "../../checks/finding.ts";
import type { Fault, FaultPlan } from "../../faults/plan.ts";
import type { ResolvedScenario, Scenario } from "../scenario.ts";
import { type AttemptOptions, attemptCase, attemptInput, type ShrinkTarget } from "./attempt.ts";
import type { Case } from "./case.ts";
import { caseOf, explicitFaults } from "./explicit.ts";
import { shrinkPasses } from "./passes.ts";
import { type Best, OTHER_SEEDS, type Search } from "./search.ts";

export type { ShrinkTarget } from "./attempt.ts";

export interface ShrinkRequest {
  readonly scenario: ResolvedScenario;
  readonly seed: string;
  readonly variant: string | null;
  /** Explicit faults at absolute times, as in a failure file; null: the scenario's own. */
  readonly plan: FaultPlan | null;
  /** What must still be found. */
  readonly target: ShrinkTarget;
  readonly budget?: ShrinkBudget;
}

export interface ShrinkBudget {
  /** Trials at most. */
  readonly attempts?: number;
  /** Events of all trials together at most. */
  readonly events?: number;
}

export interface ShrinkProgress {
  readonly attempts: number;
  readonly events: number;
  readonly faultsBefore: number;
  readonly faultsNow: number;
  readonly operationsBefore: number;
  readonly operationsNow: number;
}

export interface ShrinkResult {
  readonly target: ShrinkTarget;
  /** Resolved, with the faults that are left, from the begin of the load, and no nemesis. */
  readonly scenario: Scenario;
  /** The scenario's faults: the plan, from the begin of the load. */
  readonly plan: FaultPlan;
  /** Under which the cut-down trial fails; may be another one than the original's. */
  readonly seed: string;
  readonly variant: string | null;
  /** The finding of the cut-down trial, which ends there when `stopAt` asks it to. */
  readonly finding: Finding;
  /** Faults of the cut-down trial without each of which the finding is gone. */
  readonly necessary: readonly Fault[];
  /** Faults of the original that are not needed, explicit, from the begin of the load. */
  readonly irrelevant: readonly Fault[];
  readonly faultsBefore: number;
  readonly faultsAfter: number;
  /** Records sent and polls that returned some, until the finding. */
  readonly opsBefore: number;
  readonly opsAfter: number;
  readonly attempts: number;
  readonly events: number;
  /** false: the budget was used up before nothing more could be cut. */
  readonly complete: boolean;
  /** Of so many other seeds (other latencies, same plan), under how many it fails, too. */
  readonly otherSeeds: { readonly tried: number; readonly failed: number };
}

/** The trial that was to be cut down does not show the finding. */
export class NotReproduced extends Error {
  constructor({ check, clause }: ShrinkTarget, seed: string) {
    const under = clause === null ? "" : ` under ${clause}`;
    super(`seed ${seed} shows no finding of ${check}${under}`);
    this.name = "NotReproduced";
  }
}

const DEFAULT_ATTEMPTS = 400;
const DEFAULT_EVENTS = 30_000_000;

/** All steps at once. `onProgress` is called after each trial; `false` ends the search there. */
export function shrink(
  request: ShrinkRequest,
  onProgress?: (progress: ShrinkProgress) => boolean | undefined,
): ShrinkResult {
  const shrinker = new Shrinker(request);
  while (shrinker.step()) if (onProgress?.(shrinker.progress) === false) break;
  return shrinker.result();
}

export class Shrinker {
  readonly #request: ShrinkRequest;
  readonly #best: Best;
  readonly #search: Search<boolean>;
  readonly #originalFaults: readonly Fault[];
  readonly #operationsBefore: number;
  readonly #maxEvents: number;
  #attempts = 0;
  #events = 0;
  /** What `search` wants to know next; null when it has come to its end. */
  #next: Case | null;
  #complete = false;

  /** Runs the original. Throws NotReproduced when it does not show the finding. */
  constructor(request: ShrinkRequest) {
    this.#request = request;
    const { target, variant, seed } = request;
    const options: AttemptOptions = {
      target,
      variant,
      lastPhase: "final reads",
      maxEvents: 50_000_000,
    };
    const { outcome, events } = attemptInput(request, options);
    if (outcome === null) throw new NotReproduced(target, seed);
    this.#attempts = 1;
    this.#events = events;
    this.#maxEvents = 50_000 + Math.floor(events * 1.5);
    this.#originalFaults = explicitFaults(outcome);
    this.#operationsBefore = outcome.operations;
    this.#best = { case: caseOf(outcome), outcome };
    this.#search = shrinkPasses(this.#best);
    this.#next = this.#take(this.#search.next());
  }

  get progress(): ShrinkProgress {
    const { case: current, outcome } = this.#best;
    return {
      attempts: this.#attempts,
      events: this.#events,
      faultsBefore: this.#originalFaults.length,
      faultsNow: current.scenario.faults.length,
      operationsBefore: this.#operationsBefore,
      operationsNow: outcome.operations,
    };
  }

  /** One trial; false when nothing is left to try or the budget is used up. */
  step(): boolean {
    const candidate = this.#next;
    if (candidate === null) return false;
    const { budget } = this.#request;
    if (this.#attempts >= (budget?.attempts ?? DEFAULT_ATTEMPTS)) return false;
    if (this.#events >= (budget?.events ?? DEFAULT_EVENTS)) return false;
    const fails = this.#attempt(candidate, this.#best);
    this.#next = this.#take(this.#search.next(fails));
    return this.#next !== null;
  }

  #take(result: IteratorResult<Case, boolean>): Case | null {
    if (result.done !== true) return result.value;
    this.#complete = true;
    return null;
  }

  /** True when the case shows the finding; it is then the best of `best`. */
  #attempt(candidate: Case, best: Best): boolean {
    const { target, variant } = this.#request;
    const { phase } = best.outcome;
    const early = phase === "boot" || phase === "chaos";
    const { outcome, events } = attemptCase(candidate, {
      target,
      variant,
      maxEvents: this.#maxEvents,
      lastPhase: early ? "chaos" : "final reads",
    });
    this.#attempts++;
    this.#events += events;
    if (outcome === null) return false;
    best.case = candidate;
    best.outcome = outcome;
    return true;
  }

  /** With a name and a sentence of its own. */
  #described(scenario: Scenario, { check, saw }: Finding): Scenario {
    const { target, seed } = this.#request;
    const name = scenario.name.replace(/-shrunk$/, "");
    const under = target.clause === null ? "" : ` (${target.clause})`;
    return {
      ...scenario,
      name: `${name}-shrunk`,
      says: `Cut down from ${name}, seed ${seed}, to what ${check}${under} needs: ${saw}`,
      // Without the variant, or once the bug is gone, it holds.
      expect: { verdict: "held", outside: target.clause === null ? [] : [target.clause] },
    };
  }

  /** What is known now; more trials tell under how many other seeds the case fails. */
  result(): ShrinkResult {
    const { case: current, outcome } = this.#best;
    const { faults } = current.scenario;
    let failed = 0;
    let tried = 0;
    for (const seed of OTHER_SEEDS) {
      if (seed === current.seed) continue;
      tried++;
      if (this.#attempt({ ...current, seed }, { case: current, outcome })) failed++;
    }
    const kept = new Set(current.origins);
    return {
      target: this.#request.target,
      scenario: this.#described(current.scenario, outcome.finding),
      plan: { faults },
      seed: current.seed,
      variant: this.#request.variant,
      finding: outcome.finding,
      // The last pass took each of them away alone, and the finding was gone.
      necessary: this.#complete ? faults : [],
      irrelevant: this.#originalFaults.filter((_, i) => !kept.has(i)),
      faultsBefore: this.#originalFaults.length,
      faultsAfter: faults.length,
      opsBefore: this.#operationsBefore,
      opsAfter: outcome.operations,
      attempts: this.#attempts,
      events: this.#events,
      complete: this.#complete,
      otherSeeds: { tried, failed },
    };
  }
}
