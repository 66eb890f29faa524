/** States a fact of the clients; exists so that the compiler checks its fields. */
import type { ProcessContext } from "../../sim/index.ts";
import type { ClientObservation } from "./observations.ts";

export function observe(context: ProcessContext, observation: ClientObservation): void {
  context.observe(observation);
}
