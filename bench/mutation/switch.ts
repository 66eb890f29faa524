/**
 * The switch of the mutants: which one is active, and who came by. Instrumented files import it under
 * the names that the instrumenter gives to its own.
 */

let active: string | undefined = process.env["ACTIVE_MUTANT"];
let hits = 0;
let limit = 0;
let counting: Map<string, number> | null = null;

/** Thrown by a mutant that is evaluated far more often than the code it replaces. */
export class HitLimitReached extends Error {}

/** Makes a mutant the active one; after `most` evaluations it throws. */
export function activate(id: string | undefined, most: number): void {
  active = id;
  hits = 0;
  limit = most;
}

/** From here on evaluations of the places of mutants are counted; null: no more. */
export function count(into: Map<string, number> | null): void {
  counting = into;
}

export function hitLimitReached(): boolean {
  return limit > 0 && hits > limit;
}

export function stryMutAct_9fa48(id: string): boolean {
  if (id !== active) return false;
  if (++hits > limit && limit > 0) throw new HitLimitReached(`mutant ${id}: ${limit} evaluations`);
  return true;
}

export function stryCov_9fa48(...ids: string[]): void {
  if (counting === null) return;
  for (const id of ids) counting.set(id, (counting.get(id) ?? 0) + 1);
}
