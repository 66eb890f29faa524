/**
 * Trials as tests, for vitest and its like: `import { expectTrial } from "kafka-trial/testing"`. In Node only,
 * because scenarios are found by name and path.
 */
export {
  type ExpectedTrialOptions,
  expectTrial,
  type TrialExpectation,
  TrialExpectationError,
} from "./campaign/expect-trial.ts";
