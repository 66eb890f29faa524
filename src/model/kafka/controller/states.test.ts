import { expect, test } from "vitest";
import { PARTITION_PREDECESSORS, REPLICA_PREDECESSORS } from "./states.ts";

/** `from>to` for every permitted transition, sorted. */
function transitions(table: { readonly [target: string]: readonly string[] }): string[] {
  return Object.entries(table)
    .flatMap(([target, sources]) => sources.map((source) => `${source}>${target}`))
    .sort();
}

test("permitted transitions of partitions [CTL-20]", () => {
  expect(transitions(PARTITION_PREDECESSORS)).toEqual(
    [
      "Offline>NonExistent",
      "NonExistent>New",
      "New>Online",
      "Online>Online",
      "Offline>Online",
      "New>Offline",
      "Online>Offline",
      "Offline>Offline",
    ].sort(),
  );
});

test("permitted transitions of replicas [CTL-21]", () => {
  const living = ["NewReplica", "OnlineReplica", "OfflineReplica", "DeletionIneligible"];
  expect(transitions(REPLICA_PREDECESSORS)).toEqual(
    [
      "NonExistentReplica>NewReplica",
      ...living.map((source) => `${source}>OnlineReplica`),
      ...living.map((source) => `${source}>OfflineReplica`),
      "OfflineReplica>DeletionStarted",
      "DeletionStarted>DeletionSuccessful",
      "OfflineReplica>DeletionIneligible",
      "DeletionStarted>DeletionIneligible",
      "DeletionSuccessful>NonExistentReplica",
    ].sort(),
  );
});
