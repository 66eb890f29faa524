/** What the registry says of one variant. */

/**
 * How long the story must be that shows the wrong behaviour, in steps (CHECKS §6.4): 1 is up to six,
 * 2 is seven to twelve, 3 is longer.
 */
export type VariantTier = 1 | 2 | 3;

export interface VariantEntry {
  /** The wrong behaviour, in one sentence. */
  readonly says: string;
  /** KIP, JIRA, specification or TLA+ module. */
  readonly source: string;
  /** Checks expected to catch it, invariants and anomalies of a history. */
  readonly caughtBy: readonly string[];
  readonly tier: VariantTier;
  /** Kinds of fault without which it does no harm; others may do as well. Empty: none is needed. */
  readonly needs: readonly string[];
}
