/**
 * Followers that gave up a partition until the next LeaderAndIsr [REP-83], and what follows from it: an ISR
 * that never fills again, records that nobody gets to see.
 *
 * Kafka itself brings this about when a leader goes on in its old epoch with a shorter log (C-1d): what it
 * sends no longer fits behind the followers' logs [LOG-15], and no epoch tells them to truncate. Or when
 * a failure took the end of a segment from it and left the empty one behind: there is nothing to send up
 * to its log end, which no follower reaches [LOG-30, REP-60].
 */
import type { FollowerFailed } from "../../model/kafka/observations.ts";
import type { Micros, Observers } from "../../sim/index.ts";
import type { PartitionGhost } from "../invariants/partition-ghost.ts";
import { type ClusterEvents, time } from "./cluster-events.ts";
import type { Excuse } from "./excuse.ts";
import type { LostRecords } from "./lost-records.ts";
import { lastElection } from "./partition-history.ts";

interface Failure {
  readonly partition: string;
  readonly broker: number;
  readonly leaderEpoch: number;
  readonly at: Micros;
}

export class StuckFollowers {
  readonly #failures: Failure[] = [];
  readonly #events: ClusterEvents;
  readonly #lost: LostRecords;

  constructor(observers: Observers, events: ClusterEvents, lost: LostRecords) {
    this.#events = events;
    this.#lost = lost;
    observers.on<FollowerFailed>("FollowerFailed", (o, _node, at) => {
      if (o.reason !== "append") return;
      const partition = `${o.topic}-${o.partition}`;
      this.#failures.push({ partition, broker: o.broker, leaderEpoch: o.leaderEpoch, at });
    });
  }

  /** Whether a follower gave up in the newest epoch: nothing has brought it back since. */
  any(partition: PartitionGhost): boolean {
    const { name, newestLeaderEpoch } = partition;
    return this.#failures.some(
      (failure) => failure.partition === name && failure.leaderEpoch === newestLeaderEpoch,
    );
  }

  /** When followers gave up this partition, in any epoch. */
  times(partition: PartitionGhost): readonly Micros[] {
    return this.#failures.filter((one) => one.partition === partition.name).map(({ at }) => at);
  }

  /** A follower is stuck in the newest epoch, behind a leader that lost data. */
  excuse(partition: PartitionGhost): Excuse | null {
    return this.#keptEpoch(partition) ?? this.#beforeHole(partition);
  }

  /** [REP-60]: an empty answer, time and again, while the leader appends nothing beyond the hole. */
  #beforeHole(partition: PartitionGhost): Excuse | null {
    const { newestLeader, state, assigned } = partition;
    if (newestLeader === null || state === null || state.leader !== newestLeader.broker)
      return null;
    const hole = newestLeader.shortenings.findLast(({ kind }) => kind === "hole");
    if (hole === undefined || hole.to !== newestLeader.log.end) return null;
    for (const broker of assigned ?? []) {
      const replica = partition.replicas[broker];
      if (replica === undefined || state.isr.includes(broker)) continue;
      if (replica.leader !== newestLeader.broker) continue;
      const { end } = replica.log;
      if (end < hole.from || end >= hole.to) continue;
      const excuse = this.#lost.hole(partition, newestLeader.broker, hole);
      if (excuse === null) continue;
      const because = `${excuse.because}; broker ${broker} fetches from ${end} on, and there is nothing`;
      return { clause: excuse.clause, because };
    }
    return null;
  }

  /** [C-1d] */
  #keptEpoch(partition: PartitionGhost): Excuse | null {
    const { newestLeader, newestLeaderEpoch } = partition;
    if (newestLeader === null) return null;
    for (let i = this.#failures.length - 1; i >= 0; i--) {
      const failure = this.#failures[i] as Failure;
      if (failure.partition !== partition.name) continue;
      if (failure.leaderEpoch !== newestLeaderEpoch) continue;
      const elected = lastElection(partition, newestLeader.broker, failure.at)?.at ?? 0;
      for (const loss of newestLeader.shortenings) {
        if (loss.kind !== "lost" || loss.at > failure.at || loss.at < elected) continue;
        const topic = this.#lost.topic(partition.topic);
        const cause = this.#events.dataLoss(newestLeader.broker, loss, topic);
        if (cause === null) continue;
        const because =
          `${cause.words} and went on as leader of ${partition.name} in epoch ${newestLeaderEpoch}; ` +
          `what it sends does not fit behind the log of broker ${failure.broker}, which has not ` +
          `fetched it since ${time(failure.at)} and waits for the next LeaderAndIsr`;
        return { clause: "C-1d", because };
      }
    }
    return null;
  }
}
