/**
 * The decisions as the model of kafka-trial takes them: the same functions that its brokers and its
 * controller call, asked about states of the explorer.
 *
 * What the abstraction leaves out is filled in here and nowhere else: what a leader knows of a
 * follower is what a fetch could have told it in this state, time never excuses a follower, and the
 * leader-epoch cache of a log is what its records say.
 */
import { electPreferred } from "../model/kafka/controller/elections.ts";
import {
  assignEpoch,
  type EpochEntry,
  endOffsetFor,
  truncateEpochsFromEnd,
} from "../model/kafka/log/leader-epoch-cache.ts";
import { ErrorCode } from "../model/kafka/protocol/errors.ts";
import { RECOVERED } from "../model/kafka/protocol/messages.ts";
import { isNewerLeaderEpoch, leaderEpochError } from "../model/kafka/replica/fencing.ts";
import { highWatermarkCandidate } from "../model/kafka/replica/high-watermark.ts";
import {
  mayJoin,
  membersToRemove,
  newReplicaProgress,
  type ReplicaProgress,
} from "../model/kafka/replica/isr.ts";
import { findDivergence, truncationPoint } from "../model/kafka/replica/truncation.ts";
import { cutByTailMatch, hasReachedOwnEpoch, isCaughtUpToEpoch } from "./module-protocols.ts";
import { type Decision, NOT_NOW, type Protocol } from "./protocol.ts";
import type { State } from "./state.ts";

/** No time: every follower was last caught up longer ago than is allowed. */
const NOW = 1;
const LAG_TIME_MAX = 0;

// --- what the model's functions ask for ---------------------------------------------------------------

/** The leader-epoch cache of a log, from its records [EPO-1]. */
function epochsOf(state: State, replica: number): readonly EpochEntry[] {
  let entries: readonly EpochEntry[] = [];
  const end = state.logEnd(replica);
  for (let offset = 0; offset < end; offset++) {
    const epoch = state.recordEpoch(replica, offset);
    if (epoch !== entries[entries.length - 1]?.epoch) entries = assignEpoch(entries, epoch, offset);
  }
  return entries;
}

function latestEpoch(entries: readonly EpochEntry[]): number {
  return entries[entries.length - 1]?.epoch ?? -1;
}

/** The same with the entry that a leader writes when it begins to lead [REP-20.5]. */
function epochsOfLeader(state: State, leader: number): readonly EpochEntry[] {
  const entries = epochsOf(state, leader);
  if (!state.presumesLeadership(leader)) return entries;
  const epoch = state.leaderEpoch(leader);
  if (epoch <= latestEpoch(entries)) return entries;
  return assignEpoch(entries, epoch, state.logEnd(leader));
}

/** Where the log ended when this leader began to lead [REP-20.5]. */
function leaderEpochStart(state: State, leader: number): number {
  const end = state.logEnd(leader);
  for (let offset = 0; offset < end; offset++) {
    if (state.recordEpoch(leader, offset) === state.leaderEpoch(leader)) return offset;
  }
  return end;
}

/** What the leader can know of a replica's log end: -1 for nothing. */
type Knowledge = (state: State, leader: number, follower: number) => number;

function progress(
  state: State,
  leader: number,
  follower: number,
  knowledge: Knowledge,
): ReplicaProgress {
  const replica = newReplicaProgress(follower);
  const member = (state.isr(leader) & (1 << follower)) !== 0;
  replica.logEndOffset = knowledge(state, leader, follower);
  replica.inIsr = member;
  replica.inMaximalIsr = member;
  return replica;
}

const isFollowing: Decision = (state, leader, follower) => state.leader(follower) === leader;

/** Its fetches carry the leader's epoch [REP-10]. */
const passesFencing: Decision = (state, leader, follower) =>
  isFollowing(state, leader, follower) &&
  leaderEpochError(state.leaderEpoch(follower), state.leaderEpoch(leader)) === ErrorCode.NONE;

/** The leader finds that its log continues the follower's [REP-64]. */
const continuesLog: Decision = (state, leader, follower) => {
  const epoch = latestEpoch(epochsOf(state, follower));
  if (epoch < 0) return true;
  const entries = epochsOfLeader(state, leader);
  const end = state.logEnd(leader);
  return findDivergence(entries, end, epoch, state.logEnd(follower)) === "consistent";
};

const fencedKnowledge: Knowledge = (state, leader, follower) =>
  passesFencing(state, leader, follower) ? state.logEnd(follower) : -1;

/** A fetch beyond the leader's end is out of range: it tells of no more than that end. */
const unfencedKnowledge: Knowledge = (state, leader, follower) =>
  isFollowing(state, leader, follower)
    ? Math.min(state.logEnd(follower), state.logEnd(leader))
    : -1;

/** What epochs of records can tell, without the epoch of the leader: the first try of KIP-320. */
const knowledgeByRecords: Knowledge = (state, leader, follower) => {
  let offset = Math.min(state.logEnd(follower), state.logEnd(leader));
  while (offset >= 0 && !isCaughtUpToEpoch(state, leader, follower, offset)) offset--;
  return offset;
};

// --- decisions ------------------------------------------------------------------------------------------

function mayAdvance(knowledge: Knowledge): Protocol["mayAdvance"] {
  return (state, leader) => {
    const replicas: ReplicaProgress[] = [];
    for (let replica = 0; replica < state.replicas; replica++) {
      if (replica !== leader) replicas.push(progress(state, leader, replica, knowledge));
    }
    const candidate = highWatermarkCandidate({
      leaderLogEndOffset: state.logEnd(leader),
      replicas,
      now: NOW,
      lagTimeMax: LAG_TIME_MAX,
      isEligible: () => false,
    });
    return candidate > state.highWatermark(leader);
  };
}

function mayShrink(knowledge: Knowledge): Decision {
  return (state, leader, follower) => {
    const replica = progress(state, leader, follower, knowledge);
    return membersToRemove([replica], state.logEnd(leader), NOW, LAG_TIME_MAX).length > 0;
  };
}

/** Kafka's rule: up to the high watermark, and to the start of the leader's epoch [REP-53]. */
function mayExpand(knowledge: Knowledge): Decision {
  return (state, leader, follower) => {
    const replica = progress(state, leader, follower, knowledge);
    return mayJoin(replica, state.highWatermark(leader), leaderEpochStart(state, leader));
  };
}

/** Before KAFKA-7128: up to the high watermark, wherever that is. */
function mayExpandEarly(knowledge: Knowledge): Decision {
  return (state, leader, follower) =>
    mayJoin(progress(state, leader, follower, knowledge), state.highWatermark(leader), 0);
}

/** The module's rule: moreover the high watermark itself has reached the leader's epoch. */
function mayExpandLate(expand: Decision): Decision {
  return (state, leader, follower) =>
    hasReachedOwnEpoch(state, leader) && expand(state, leader, follower);
}

/** How the leader's answer leads to the cut. */
type Lookup = (state: State, leader: number, follower: number) => number;

/**
 * What a follower does when the leader knows nothing of its epoch: Kafka's follower falls back to its
 * high watermark; the modules know every record, as if it asked for the epoch before.
 */
type WhenUnknown = "to the high watermark" | "ask for the epoch before";

/** A younger record with an older epoch: only a zombie leader's followers, unfenced, get such logs. */
export function hasDecreasingEpochs(state: State, replica: number): boolean {
  for (let offset = 1; offset < state.logEnd(replica); offset++) {
    if (state.recordEpoch(replica, offset) < state.recordEpoch(replica, offset - 1)) return true;
  }
  return false;
}

/** No leader-epoch cache can tell such a log from another: there the modules' own answer is taken. */
function whereCachesCan(lookup: Lookup): Lookup {
  return (state, leader, follower) =>
    hasDecreasingEpochs(state, leader) || hasDecreasingEpochs(state, follower)
      ? cutByTailMatch(state, leader, follower)
      : lookup(state, leader, follower);
}

/** Answers with epoch and offset, in as many rounds as it takes [REP-86]. */
function cutInRounds(whenUnknown: WhenUnknown): Lookup {
  return (state, leader, follower) => {
    const leaderEpochs = epochsOfLeader(state, leader);
    let entries = epochsOf(state, follower);
    let end = state.logEnd(follower);
    for (;;) {
      const last = entries[entries.length - 1];
      if (last === undefined) return end;
      const answer = endOffsetFor(leaderEpochs, last.epoch, state.logEnd(leader));
      let complete = false;
      if (answer === null && whenUnknown === "ask for the epoch before") end = last.startOffset;
      else {
        const known = answer ?? { epoch: -1, endOffset: -1 };
        const point = truncationPoint(known, entries, end, state.highWatermark(follower));
        end = Math.min(end, point.offset);
        complete = point.complete;
      }
      if (complete) return end;
      entries = truncateEpochsFromEnd(entries, end);
    }
  };
}

/** Answers with the offset alone, as KIP-101 had it. */
const cutByOffsetAlone: Lookup = (state, leader, follower) => {
  const entries = epochsOf(state, follower);
  const epoch = latestEpoch(entries);
  if (epoch < 0) return 0;
  const found = endOffsetFor(epochsOf(state, leader), epoch, state.logEnd(leader));
  // The module cannot cut beyond the end, and then does not follow at all.
  if (found !== null && found.endOffset > state.logEnd(follower)) return NOT_NOW;
  const answer = { epoch: -1, endOffset: found?.endOffset ?? -1 };
  const watermark = state.highWatermark(follower);
  return truncationPoint(answer, entries, state.logEnd(follower), watermark).offset;
};

/** The leader answers only in the epoch that it leads in [REP-10]. */
function fenced(lookup: Lookup): Protocol["cutWhenFollowing"] {
  return (state, leader, follower, epoch) => {
    const answers =
      state.presumesLeadership(leader) &&
      leaderEpochError(epoch, state.leaderEpoch(leader)) === ErrorCode.NONE;
    return answers ? lookup(state, leader, follower) : NOT_NOW;
  };
}

function members(set: number): number[] {
  const list: number[] = [];
  for (let replica = 0; set >> replica !== 0; replica++) {
    if (((set >> replica) & 1) !== 0) list.push(replica);
  }
  return list;
}

const DECIDED_ELSEWHERE: Pick<Protocol, "mayWriteIsr" | "cutWhenFetching" | "isNewer" | "elect"> = {
  mayWriteIsr: (state, leader) =>
    state.quorumLeader === leader &&
    leaderEpochError(state.leaderEpoch(leader), state.quorumEpoch) === ErrorCode.NONE,
  cutWhenFetching: null,
  isNewer: isNewerLeaderEpoch,
  elect: ({ quorumIsr }, candidate) => {
    const elected = electPreferred({
      assignment: [candidate],
      isr: members(quorumIsr),
      leaderRecoveryState: RECOVERED,
      isLive: () => true,
    });
    return elected === null ? null : elected.isr.reduce((set, id) => set | (1 << id), 0);
  },
};

const UNFENCED = {
  ...DECIDED_ELSEWHERE,
  mayFetch: isFollowing,
  mayAdvance: mayAdvance(unfencedKnowledge),
  mayShrink: mayShrink(unfencedKnowledge),
  mayExpand: mayExpandEarly(unfencedKnowledge),
};

const TAIL_MATCH = cutInRounds("ask for the epoch before");

/** continuesLog where a leader-epoch cache can tell. */
const continuesRecords: Decision = (state, leader, follower) =>
  hasDecreasingEpochs(state, leader) || hasDecreasingEpochs(state, follower)
    ? isCaughtUpToEpoch(state, leader, follower, state.logEnd(follower))
    : continuesLog(state, leader, follower);

/** What the model does, with Kafka's own rule for joining the ISR. */
export const KAFKA: Protocol = {
  ...DECIDED_ELSEWHERE,
  mayFetch: (state, leader, follower) =>
    passesFencing(state, leader, follower) && continuesLog(state, leader, follower),
  mayAdvance: mayAdvance(fencedKnowledge),
  mayShrink: mayShrink(fencedKnowledge),
  mayExpand: mayExpand(fencedKnowledge),
  cutWhenFollowing: fenced(cutInRounds("to the high watermark")),
};

/** The modules, each decision taken by the model's functions. */
export const MODEL = {
  KafkaTruncateToHighWatermark: {
    ...UNFENCED,
    cutWhenFollowing: (state, _, follower) => state.highWatermark(follower),
  },
  Kip101: { ...UNFENCED, cutWhenFollowing: cutByOffsetAlone },
  Kip279: { ...UNFENCED, cutWhenFollowing: whereCachesCan(TAIL_MATCH) },
  Kip320FirstTry: {
    ...DECIDED_ELSEWHERE,
    mayFetch: (state, leader, follower) =>
      isFollowing(state, leader, follower) && continuesRecords(state, leader, follower),
    mayAdvance: mayAdvance(knowledgeByRecords),
    mayShrink: mayShrink(knowledgeByRecords),
    mayExpand: mayExpandLate(mayExpandEarly(knowledgeByRecords)),
    cutWhenFollowing: (state, _, follower) => state.logEnd(follower),
    cutWhenFetching: (state, leader, follower) => {
      if (!isFollowing(state, leader, follower) || continuesRecords(state, leader, follower)) {
        return NOT_NOW;
      }
      return whereCachesCan(TAIL_MATCH)(state, leader, follower);
    },
  },
  Kip320: { ...KAFKA, mayExpand: mayExpandLate(KAFKA.mayExpand) },
} as const satisfies { readonly [name: string]: Protocol };

/** What happens with Kafka's own means where the modules know more. */
export const AS_KAFKA_HAS_IT = {
  /** Leader-epoch caches also for logs whose epochs decrease. */
  Kip279WithCaches: { ...UNFENCED, cutWhenFollowing: TAIL_MATCH },
  /** Moreover the high watermark where the leader knows nothing of the epoch. */
  Kip279WithFallback: { ...UNFENCED, cutWhenFollowing: cutInRounds("to the high watermark") },
  /** ISR members join by Kafka's own rule [REP-53]. */
  Kip320WithOwnRule: KAFKA,
} as const satisfies { readonly [name: string]: Protocol };
