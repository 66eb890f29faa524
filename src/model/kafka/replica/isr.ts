/**
 * The in-sync replica set as a leader sees it: its states [REP-1, REP-2] and the pure decisions that
 * change it [REP-50..53], with the progress of the remote replicas that they judge [REP-3].
 */

/** What a leader knows of one remote replica. Offsets are -1 while unknown. */
export interface ReplicaProgress {
  readonly brokerId: number;
  /** Fetch offset of the last fetch: the replica has appended everything below. */
  logEndOffset: number;
  logStartOffset: number;
  /** The leader's log end when the replica last fetched. */
  lastFetchLeaderLogEndOffset: number;
  lastFetchTime: number;
  /** When the replica last had everything that the leader had. */
  lastCaughtUpTime: number;
  /** Member of the committed ISR. */
  inIsr: boolean;
  /** Member of what the leader must assume while a change is pending [REP-2]. */
  inMaximalIsr: boolean;
}

/** `now` in microseconds is the moment for members of the ISR, "never" for others [REP-20.5]. */
export function newReplicaProgress(brokerId: number): ReplicaProgress {
  return {
    brokerId,
    logEndOffset: -1,
    logStartOffset: -1,
    lastFetchLeaderLogEndOffset: -1,
    lastFetchTime: 0,
    lastCaughtUpTime: 0,
    inIsr: false,
    inMaximalIsr: false,
  };
}

/** Takes a fetch at `fetchOffset` in, arriving `now` when the leader's end is given [REP-50]. */
export function noteFetch(
  replica: ReplicaProgress,
  fetchOffset: number,
  logStartOffset: number,
  leaderLogEndOffset: number,
  now: number,
): void {
  if (fetchOffset >= leaderLogEndOffset) {
    if (now > replica.lastCaughtUpTime) replica.lastCaughtUpTime = now;
  } else if (fetchOffset >= replica.lastFetchLeaderLogEndOffset) {
    const { lastFetchTime } = replica;
    if (lastFetchTime > replica.lastCaughtUpTime) replica.lastCaughtUpTime = lastFetchTime;
  }
  replica.logEndOffset = fetchOffset;
  replica.logStartOffset = logStartOffset;
  if (leaderLogEndOffset > replica.lastFetchLeaderLogEndOffset) {
    replica.lastFetchLeaderLogEndOffset = leaderLogEndOffset;
  }
  replica.lastFetchTime = now;
}

/**
 * Takes in that fetches came, the last at `time`, which all asked for the leader's present end and
 * said nothing else that was new: what `noteFetch` would have noted, had it been called for each.
 */
export function noteFetchAtEnd(replica: ReplicaProgress, time: number): void {
  if (time > replica.lastCaughtUpTime) replica.lastCaughtUpTime = time;
  if (time > replica.lastFetchTime) replica.lastFetchTime = time;
}

/** [REP-51]; times in one unit. */
export function isCaughtUp(
  replica: Readonly<ReplicaProgress>,
  leaderLogEndOffset: number,
  now: number,
  lagTimeMax: number,
): boolean {
  return (
    replica.logEndOffset === leaderLogEndOffset ||
    (replica.lastCaughtUpTime > 0 && now - replica.lastCaughtUpTime <= lagTimeMax)
  );
}

/** The members that leave, to be removed by one proposal; empty if nobody does [REP-52]. */
export function membersToRemove(
  replicas: readonly Readonly<ReplicaProgress>[],
  leaderLogEndOffset: number,
  now: number,
  lagTimeMax: number,
): number[] {
  const leaving: number[] = [];
  for (const replica of replicas) {
    if (!replica.inIsr || isCaughtUp(replica, leaderLogEndOffset, now, lagTimeMax)) continue;
    leaving.push(replica.brokerId);
  }
  return leaving;
}

/** Whether a replica outside the ISR has what it takes to join, liveness apart [REP-53]. */
export function mayJoin(
  replica: Readonly<ReplicaProgress>,
  highWatermark: number,
  leaderEpochStartOffset: number,
): boolean {
  return replica.logEndOffset >= highWatermark && replica.logEndOffset >= leaderEpochStartOffset;
}

/** How many in-sync replicas acks=all needs [REP-32.2]; `capped` since 3.7. */
export function effectiveMinIsr(minIsr: number, replicas: number, capped: boolean): number {
  return capped && replicas < minIsr ? replicas : minIsr;
}
