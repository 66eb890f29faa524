/**
 * All white-box invariants, attached to a world's observers in one call.
 *
 * Ghosts listen first, checks after them. Every check runs in every trial; which of its findings
 * count is for `GuaranteeTracker` to say.
 */
import type { Micros, Observers } from "../../sim/index.ts";
import type { Finding } from "../finding.ts";
import { Check, type CheckContext } from "./check.ts";
import { watchCommittedRecords } from "./committed-records.ts";
import { watchCompaction } from "./compaction.ts";
import { watchBrokerEpochs, watchControllers } from "./controllers.ts";
import type { InvariantName } from "./descriptions.ts";
import type { ClusterFacts } from "./facts.ts";
import { watchHighWatermark } from "./high-watermark.ts";
import { watchIsrJoins } from "./isr-joins.ts";
import { watchIsrPrefix } from "./isr-prefix.ts";
import { KafkaGhost } from "./kafka-ghost.ts";
import { watchLeadership } from "./leadership.ts";
import { watchLogMatching } from "./log-matching.ts";
import { watchProducerOrder } from "./producer-order.ts";
import { watchProducerSequences } from "./producer-sequence.ts";
import { watchReassignments } from "./reassignments.ts";
import { watchTruncations } from "./truncations.ts";
import { watchZabDurability, watchZabLeaders, watchZabOrder, watchZooKeeperReads } from "./zab.ts";
import { watchZooKeeperSessions } from "./zookeeper-sessions.ts";

export type { ClusterFacts, ProducerFacts, TopicFacts } from "./facts.ts";

/** How often a check was put to the test, and how often it failed. */
export interface CheckStatistics {
  readonly name: InvariantName;
  readonly evaluated: number;
  readonly found: number;
}

export interface InvariantSet {
  /** Judges what can only be judged at the end of a trial. Call once. */
  finish(at: Micros): void;
  /** One entry per check, in the order of the catalogue of invariants. */
  readonly stats: readonly CheckStatistics[];
  /** What the invariants know; a GuaranteeTracker may share it. */
  readonly ghost: KafkaGhost;
}

/** `report` is called at once, in the turn in which something is found. */
export function attachInvariants(
  observers: Observers,
  facts: ClusterFacts,
  report: (finding: Finding) => void,
): InvariantSet {
  const kafka = new KafkaGhost(observers);
  const checks = new Map<InvariantName, Check>();
  const endings: ((at: Micros) => void)[] = [];
  const context: CheckContext = {
    observers,
    facts,
    kafka,
    zooKeeper: kafka.zooKeeper,
    check(name) {
      const known = checks.get(name);
      if (known !== undefined) return known;
      const check = new Check(name, report);
      checks.set(name, check);
      return check;
    },
    onFinish(judge) {
      endings.push(judge);
    },
  };
  watchLogMatching(context);
  watchCommittedRecords(context);
  watchCompaction(context);
  watchHighWatermark(context);
  watchIsrPrefix(context);
  watchIsrJoins(context);
  watchLeadership(context);
  watchReassignments(context);
  watchTruncations(context);
  watchControllers(context);
  watchBrokerEpochs(context);
  watchProducerSequences(context);
  watchProducerOrder(context);
  watchZabOrder(context);
  watchZabLeaders(context);
  watchZabDurability(context);
  watchZooKeeperReads(context);
  watchZooKeeperSessions(context);
  return {
    finish(at) {
      for (const judge of endings) judge(at);
    },
    get stats() {
      return [...checks.values()].map(({ name, evaluated, found }) => ({ name, evaluated, found }));
    },
    ghost: kafka,
  };
}
