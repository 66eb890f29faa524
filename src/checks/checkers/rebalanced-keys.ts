/**
 * The keys that were rebalanced while an op ran. Such a key may be taken away and come back at
 * another position, so nothing is expected of the order in which it was polled (CHECKS §1.5).
 */

import type { IndexedHistory } from "./indexed-history.ts";

/** null when there were none, the usual case. */
export function rebalancedKeys(
  history: IndexedHistory,
  position: number,
): ReadonlySet<number> | null {
  const rebalanceLog = history.ops.extrasAt(position)?.rebalanceLog;
  if (rebalanceLog === undefined || rebalanceLog.length === 0) return null;
  const rebalanced = new Set<number>();
  for (const keys of rebalanceLog) {
    for (const key of keys) {
      const id = history.keyIds.get(key);
      if (id !== undefined) rebalanced.add(id);
    }
  }
  return rebalanced;
}
