/**
 * The catalogue: every property that is judged or sought, in one list.
 *
 * `always`: the invariants (judged on observations) and the anomalies of a history (judged at the
 * end). `eventually`: what must come true after all faults have ended. `sometimes`: goals of a
 * campaign. Reports and documentation are made from it; a test holds it against the variants.
 */
import type { CatalogueEntry, Description } from "./catalogue-entry.ts";
import { ANOMALIES, ANOMALY_NAMES, type AnomalyName } from "./checkers/anomaly.ts";
import { GOALS } from "./goal-descriptions.ts";
import { INVARIANTS } from "./invariants/descriptions.ts";

export type { CatalogueEntry, Description, Modality } from "./catalogue-entry.ts";
export { INVARIANTS, type InvariantName } from "./invariants/descriptions.ts";

type Guarantee = Pick<Description, "promisedWhen" | "clauses" | "breaks">;

const SAFE_COPIES = "as NoAcknowledgedWriteLost: acks=all, and the ISR keeps a member that has it";
const IDEMPOTENT = "the producer is idempotent, and it is not the application that sends again";
const TRANSACTIONS = "transactions, read_committed";

/** When Kafka promises that a history shows none of each anomaly. */
const PROMISES: { readonly [name in AnomalyName]: Guarantee } = {
  "lost-write": {
    promisedWhen: SAFE_COPIES,
    clauses: ["C-1", "C-2", "C-4", "C-5", "C-8", "C-9"],
    breaks: [],
  },
  duplicate: {
    promisedWhen: IDEMPOTENT,
    clauses: ["C-14", "C-37", "C-38"],
    breaks: ["no-duplicate-detection", "producer-state-not-rebuilt"],
  },
  "inconsistent-offsets": {
    promisedWhen: "no committed record is lost",
    clauses: ["C-1", "C-8", "C-42", "C-46"],
    breaks: ["duplicate-answered-with-log-end"],
  },
  "garbage-read": { promisedWhen: "always", clauses: [], breaks: [] },
  G1a: {
    promisedWhen: `the send failed for certain; ${TRANSACTIONS}`,
    clauses: ["C-14", "C-57"],
    breaks: ["unknown-outcome-reported-as-failure"],
  },
  G1c: { promisedWhen: TRANSACTIONS, clauses: ["C-55"], breaks: [] },
  "G1c-ww": { promisedWhen: "never: writes are not isolated", clauses: ["C-55"], breaks: [] },
  G0: { promisedWhen: "never: writes are not isolated", clauses: ["C-55"], breaks: [] },
  "precommitted-read": { promisedWhen: TRANSACTIONS, clauses: ["C-55"], breaks: [] },
  "int-poll-skip": {
    promisedWhen: "no retention overtakes the consumer, and no loss resets it",
    clauses: ["C-43", "C-45", "C-46"],
    breaks: [],
  },
  "int-nonmonotonic-poll": {
    promisedWhen: "no loss resets the consumer",
    clauses: ["C-20", "C-46"],
    breaks: [],
  },
  "int-send-skip": {
    promisedWhen: "never: others may write between",
    clauses: ["C-23"],
    breaks: [],
  },
  "int-nonmonotonic-send": {
    promisedWhen: "idempotence, or one request in flight at most",
    clauses: ["C-23", "C-24"],
    breaks: [],
  },
  "poll-skip": {
    promisedWhen: "manual assignment; no retention overtakes the consumer, and no loss resets it",
    clauses: ["C-43", "C-45", "C-46", "C-49"],
    breaks: ["consumer-skips", "consumer-resets-on-leader-change"],
  },
  "nonmonotonic-poll": {
    promisedWhen: "manual assignment; no loss resets the consumer",
    clauses: ["C-20", "C-46"],
    breaks: ["consumer-rewinds"],
  },
  "nonmonotonic-send": {
    promisedWhen: "idempotence, or one request in flight at most",
    clauses: ["C-23", "C-24"],
    breaks: [],
  },
  unseen: {
    promisedWhen: `${SAFE_COPIES}; everything is read at the end`,
    clauses: ["C-1", "C-2", "C-4", "C-5", "C-8", "C-9"],
    breaks: [],
  },
};

const HEALED = "all nodes run, all links are whole, and the time that Kafka needs has passed";

/** What must come true after healing; judged by the trial while it converges. */
export const LIVENESS = {
  Convergence: {
    says: "When all faults have ended, the cluster converges: what stands below, within a time.",
    source: "CHECKS §6.2 V1",
    promisedWhen: HEALED,
    clauses: ["C-26", "C-27"],
    breaks: [
      "no-truncation",
      "epoch-cache-survives-truncation",
      "follower-does-not-record-epochs",
      "unclean-election-keeps-isr",
      "isr-version-not-updated",
      "unfenced-leader-and-isr",
      "bounce-not-detected",
      "registration-of-old-session-trusted",
      "unanswered-control-request-dropped",
      "newer-broker-epoch-refused",
      "zookeeper-watch-missed-on-reconnect",
      "zookeeper-sessions-forgotten",
      "removed-replica-stays-in-isr",
      "reassignment-ends-at-once",
    ],
  },
  EnsembleServes: {
    says: "The ZooKeeper ensemble has a leader that serves.",
    source: "[ZFS-3], C-27",
    promisedWhen: "a quorum of servers runs and can talk",
    clauses: ["C-27"],
    breaks: [],
  },
  BrokersRegistered: {
    says: "Every running broker is registered in ZooKeeper.",
    source: "[ZK-11], C-30",
    promisedWhen: HEALED,
    clauses: ["C-27", "C-30"],
    breaks: [],
  },
  ControllerElected: {
    says: "Exactly one broker is controller, and it has seen the newest epoch.",
    source: "[CTL-3], C-26",
    promisedWhen: HEALED,
    clauses: ["C-25", "C-26"],
    breaks: [],
  },
  PartitionsLed: {
    says: "Every partition has a leader that knows it.",
    source: "[CTL-62], C-10",
    promisedWhen: `${HEALED}; some member of the ISR runs, or unclean election is allowed`,
    clauses: ["C-8", "C-10"],
    breaks: [],
  },
  ReplicasInSync: {
    says: "The ISR of every partition is all of its replicas.",
    source: "[REP-53], C-33, CHECKS §6.2 V1",
    promisedWhen: HEALED,
    clauses: ["C-26", "C-33"],
    breaks: [],
  },
  EverythingCommitted: {
    says: "The high watermark of every partition reaches its log end.",
    source: "[REP-41], CHECKS §3.3 EventuallyAcknowledgedValueFullyReplicated",
    promisedWhen: `${HEALED}; the ISR reaches min.insync.replicas`,
    clauses: ["C-3", "C-26"],
    breaks: [],
  },
  SendsSettle: {
    says: "Every send ends with success or failure.",
    source: "[PRD-10], CHECKS §3.3 EventuallyWriteIsAcceptedOrRejected",
    promisedWhen: "delivery.timeout.ms has passed",
    clauses: ["C-14"],
    breaks: [],
  },
  ConsumersCatchUp: {
    says: "Every consumer reaches the end of its partitions.",
    source: "CHECKS §6.2 V1",
    promisedWhen: HEALED,
    clauses: ["C-46"],
    breaks: [],
  },
} as const satisfies Record<string, Description>;

export type LivenessName = keyof typeof LIVENESS;

function entries(): CatalogueEntry[] {
  const list: CatalogueEntry[] = [];
  for (const [name, description] of Object.entries(INVARIANTS)) {
    list.push({ name, modality: "always", ...description });
  }
  for (const name of ANOMALY_NAMES) {
    list.push({ name, modality: "always", ...ANOMALIES[name], ...PROMISES[name] });
  }
  for (const [name, description] of Object.entries(LIVENESS)) {
    list.push({ name, modality: "eventually", ...description });
  }
  for (const [name, { says, source }] of Object.entries(GOALS)) {
    const promisedWhen = "not promised: a campaign seeks it";
    list.push({ name, modality: "sometimes", says, source, promisedWhen, clauses: [], breaks: [] });
  }
  return list;
}

/** Invariants, anomalies, liveness, goals; names are unique. */
export const CATALOGUE: readonly CatalogueEntry[] = entries();

/** undefined for a name that is not in the catalogue. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}
