/** The one way in which ZooKeeper's parts state facts: typed by the union of this floor. */
import type { ProcessContext } from "../../sim/index.ts";
import type { ZooKeeperObservation } from "./observations.ts";

export function stateFact(context: ProcessContext, fact: ZooKeeperObservation): void {
  context.observe(fact);
}
