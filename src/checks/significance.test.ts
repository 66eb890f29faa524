import { expect, it } from "vitest";
import { catalogueEntry } from "./catalogue.ts";
import { bySignificance } from "./significance.ts";

it("puts what was lost first, and keeps the order of equals", () => {
  const names = ["LeaderFromIsr", "HighWatermarkBelowIsr", "lost-write", "NoAcknowledgedWriteLost"];
  const sorted = bySignificance(names.map((check) => ({ check })));
  expect(sorted.map(({ check }) => check)).toEqual([
    "NoAcknowledgedWriteLost",
    "lost-write",
    "LeaderFromIsr",
    "HighWatermarkBelowIsr",
  ]);
  for (const name of names) expect(catalogueEntry(name)).toBeDefined();
});
