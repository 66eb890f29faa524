/**
 * Which findings matter most to people: what was lost comes before what foreshadowed it. For lists of
 * findings outside of the guarantee; violations keep the order of time, which is that of cause.
 */
const FIRST: readonly string[] = [
  "NoAcknowledgedWriteLost",
  "lost-write",
  "NoCommittedRecordLost",
  "OffsetImmutability",
  "LogMatching",
  "unseen",
  "inconsistent-offsets",
  "duplicate",
  "Convergence",
];
const RANKS: ReadonlyMap<string, number> = new Map(FIRST.map((check, rank) => [check, rank]));

/** A sorted copy; equal ones keep their order. */
export function bySignificance<F extends { readonly check: string }>(findings: readonly F[]): F[] {
  const rank = ({ check }: F) => RANKS.get(check) ?? FIRST.length;
  return [...findings].sort((a, b) => rank(a) - rank(b));
}
