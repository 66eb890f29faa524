/** All claims, in the order of the reference. */
import type { Claim, Exhibit } from "./claim.ts";
import { CLIENTS } from "./clients.ts";
import { DURABILITY } from "./durability.ts";
import { LEADERSHIP } from "./leadership.ts";

export const CLAIMS: readonly Claim[] = [...DURABILITY, ...LEADERSHIP, ...CLIENTS];

/** Each exhibit once: several claims may share one. */
export function exhibitsOf(claims: readonly Claim[]): Exhibit[] {
  const byFile = new Map<string, Exhibit>();
  for (const { exhibits } of claims) {
    for (const exhibit of exhibits)
      if (!byFile.has(exhibit.file)) byFile.set(exhibit.file, exhibit);
  }
  return [...byFile.values()];
}
