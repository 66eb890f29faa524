/**
 * The anomalies that a history can show: their names, what must hold instead, and where that
 * comes from.
 *
 * The names are Jepsen's (CHECKS §1.5), plus `garbage-read`. Left out: Elle's process and realtime
 * variants of the cycles.
 */

export interface AnomalyDescription {
  /** What must hold, in one sentence. */
  readonly says: string;
  readonly source: string;
}

export const ANOMALIES = {
  "lost-write": {
    says: "When a consumer has read past a committed value, some consumer has read that value.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  duplicate: {
    says: "A value stands at one offset of its partition only.",
    source: "CHECKS §1.5, KIP-98 (idempotent producer)",
  },
  "inconsistent-offsets": {
    says: "An offset of a partition holds one value, for everybody and for ever.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "garbage-read": {
    says: "A polled value was sent by somebody.",
    source: "own: Jepsen kafka.clj gives up on such a history",
  },
  G1a: {
    says: "A value whose send failed for certain is never polled.",
    source: "CHECKS §1.5, Adya G1a (aborted read), KIP-98",
  },
  G1c: {
    says: "Information flows one way: no op sees, directly or over others, an op that saw it.",
    source: "CHECKS §1.5, Adya G1c (circular information flow)",
  },
  "G1c-ww": {
    says: "No circle of ops in which each was polled or overwritten in log order by the next.",
    source: "CHECKS §1.5, Adya G1c with write dependencies",
  },
  G0: {
    says: "The logs agree on the order of any two ops that sent to several of them.",
    source: "CHECKS §1.5, Adya G0 (write cycle)",
  },
  "precommitted-read": {
    says: "No op polls what it has itself sent and not yet committed.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "int-poll-skip": {
    says: "Within one op the polls of a partition leave out no record known to be there.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "int-nonmonotonic-poll": {
    says: "Within one op the polls of a partition go forward only.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "int-send-skip": {
    says: "Within one op the sends to a partition follow each other without a stranger between.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "int-nonmonotonic-send": {
    says: "Within one op the sends to a partition are stored in the order in which they were made.",
    source: "CHECKS §1.5, KIP-98 (idempotent producer)",
  },
  "poll-skip": {
    says: "A consumer goes on right after the last record that it polled of a partition.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "nonmonotonic-poll": {
    says: "A consumer does not go back behind what it has polled of a partition.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
  "nonmonotonic-send": {
    says: "The sends of one process to a partition are stored in the order in which it made them.",
    source: "CHECKS §1.5, KIP-98 (idempotent producer)",
  },
  unseen: {
    says: "After the final reads every acknowledged value has been polled by somebody.",
    source: "CHECKS §1.5, Jepsen kafka.clj",
  },
} as const satisfies Record<string, AnomalyDescription>;

export type AnomalyName = keyof typeof ANOMALIES;

export const ANOMALY_NAMES = Object.keys(ANOMALIES) as readonly AnomalyName[];
