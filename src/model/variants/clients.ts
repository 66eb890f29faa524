/** Variants of clients: sequences of producers, outcomes, positions of consumers. */
import type { VariantEntry } from "./entry.ts";

export const CLIENTS_VARIANTS = {
  "no-duplicate-detection": {
    says: "The leader forgets the sequences of a producer",
    source: "KIP-98 [PID-2]",
    caughtBy: ["duplicate", "SequenceContinuity"],
    tier: 1,
    needs: ["kill"],
  },
  "producer-state-not-rebuilt": {
    says: "A follower does not rebuild the producers' sequences from its log",
    source: "KIP-98, KAFKA-6003",
    caughtBy: ["duplicate", "SequenceContinuity"],
    tier: 1,
    needs: ["kill"],
  },
  "producer-state-before-append": {
    says: "A batch that is refused for want of replicas is remembered as appended",
    source: "KAFKA-6683",
    caughtBy: ["NoAcknowledgedWriteLost", "SequenceContinuity"],
    tier: 1,
    needs: ["kill"],
  },
  "sequence-gap-accepted": {
    says: "The leader appends a batch whose predecessor is missing",
    source: "KIP-98, retry reorder [PID-2]",
    caughtBy: ["OrderPerKey", "SequenceContinuity"],
    tier: 2,
    needs: ["partition"],
  },
  "duplicate-answered-with-log-end": {
    says: "A batch that is known already is acknowledged with the offset that it would have got",
    source: "KAFKA-13794",
    caughtBy: ["inconsistent-offsets"],
    tier: 1,
    needs: ["partition"],
  },
  "retry-reorders": {
    says: "The idempotent producer re-sends at the front with fresh sequences",
    source: "KAFKA-8483",
    caughtBy: ["OrderPerKey"],
    tier: 1,
    needs: ["kill"],
  },
  "unknown-outcome-reported-as-failure": {
    says: "The producer reports a send whose outcome is open as certainly failed",
    source: "KAFKA-13574 [C-14]",
    caughtBy: ["G1a"],
    tier: 1,
    needs: ["partition"],
  },
  "consumer-skips": {
    says: "The consumer moves its position one past the end of what it returned",
    source: "KAFKA-2978",
    caughtBy: ["poll-skip"],
    tier: 1,
    needs: [],
  },
  "consumer-rewinds": {
    says: "The consumer forgets its last record's offset when it learns of a new leader",
    source: "KAFKA-7703",
    caughtBy: ["nonmonotonic-poll"],
    tier: 1,
    needs: ["kill"],
  },
  "consumer-resets-on-leader-change": {
    says: "A consumer whose fetch was refused starts again at the end of the log",
    source: "[CON-4]",
    caughtBy: ["poll-skip"],
    tier: 1,
    needs: ["kill"],
  },
} as const satisfies { readonly [id: string]: VariantEntry };
