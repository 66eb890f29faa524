/**
 * The decisions as Kafka's TLA+ modules state them (hachikuji/kafka-specification): the reference that
 * the model's own decisions (model-protocols.ts) are compared with.
 *
 * Written from the modules' facts, with the letter of their guards: `KafkaTruncateToHighWatermark`,
 * `Kip101`, `Kip279`, `Kip320FirstTry`, `Kip320`.
 */
import { NOT_NOW, type Protocol } from "./protocol.ts";
import type { State } from "./state.ts";

/** Only the leader that the quorum knows, in the quorum's epoch, may change the ISR. */
function isTrueLeader(state: State, leader: number): boolean {
  return (
    state.quorumLeader === leader &&
    state.presumesLeadership(leader) &&
    state.leaderEpoch(leader) === state.quorumEpoch
  );
}

function isFollowing(state: State, leader: number, follower: number): boolean {
  return state.leader(follower) === leader;
}

export function isFollowingInEpoch(state: State, leader: number, follower: number): boolean {
  return (
    state.presumesLeadership(leader) &&
    isFollowing(state, leader, follower) &&
    state.leaderEpoch(follower) === state.leaderEpoch(leader)
  );
}

/** For each member of the leader's ISR, the leader included. */
function everyMember(state: State, leader: number, test: (member: number) => boolean): boolean {
  const isr = state.isr(leader);
  for (let member = 0; member < state.replicas; member++) {
    if ((isr & (1 << member)) !== 0 && !test(member)) return false;
  }
  return true;
}

/** Core module: follows, and has everything below `end`. */
function isCaughtUp(state: State, leader: number, follower: number, end: number): boolean {
  if (!isFollowing(state, leader, follower)) return false;
  return end === 0 || (end <= state.logEnd(leader) && end <= state.logEnd(follower));
}

/** First try of KIP-320: follows, and its record before `end` has the leader's epoch. */
export function isCaughtUpToEpoch(
  state: State,
  leader: number,
  follower: number,
  end: number,
): boolean {
  if (!state.presumesLeadership(leader) || !isFollowing(state, leader, follower)) return false;
  if (end === 0) return true;
  if (end > state.logEnd(leader) || end > state.logEnd(follower)) return false;
  return state.recordEpoch(leader, end - 1) === state.recordEpoch(follower, end - 1);
}

/** The high watermark of a leader is at the start of its epoch, or beyond. */
export function hasReachedOwnEpoch(state: State, leader: number): boolean {
  const watermark = state.highWatermark(leader);
  return (
    watermark === state.logEnd(leader) ||
    state.recordEpoch(leader, watermark) === state.leaderEpoch(leader)
  );
}

// --- where to cut -------------------------------------------------------------------------------------

type Cut = (state: State, leader: number, follower: number) => number;

export const cutToHighWatermark: Cut = (state, _, follower) => state.highWatermark(follower);

/** KIP-101: the end of the follower's last epoch in the leader's log, else the high watermark. */
export const cutByEpochEnd: Cut = (state, leader, follower) => {
  const end = state.logEnd(follower);
  if (end === 0) return 0;
  const epoch = state.recordEpoch(follower, end - 1);
  const leaderEnd = state.logEnd(leader);
  if (leaderEnd === 0) return state.highWatermark(follower);
  if (state.recordEpoch(leader, leaderEnd - 1) === epoch) return leaderEnd;
  for (let offset = 0; offset < leaderEnd; offset++) {
    if (state.recordEpoch(leader, offset) > epoch) return offset;
  }
  return state.highWatermark(follower);
};

/** KIP-279: behind the last record that both have at the same offset. */
export const cutByTailMatch: Cut = (state, leader, follower) => {
  let offset = Math.min(state.logEnd(follower), state.logEnd(leader));
  while (offset > 0 && state.record(follower, offset - 1) !== state.record(leader, offset - 1)) {
    offset--;
  }
  return offset;
};

/** A log cannot be cut beyond its end: the module's step is then not possible. */
function whenPossible(cut: Cut): Protocol["cutWhenFollowing"] {
  return (state, leader, follower) => {
    const offset = cut(state, leader, follower);
    return offset <= state.logEnd(follower) ? offset : NOT_NOW;
  };
}

/** Asks only a leader that leads in the very epoch [KIP-320]. */
function fenced(cut: Cut): Protocol["cutWhenFollowing"] {
  const possible = whenPossible(cut);
  return (state, leader, follower, epoch) => {
    const leads = state.presumesLeadership(leader) && state.leaderEpoch(leader) === epoch;
    return leads ? possible(state, leader, follower, epoch) : NOT_NOW;
  };
}

// --- the modules ----------------------------------------------------------------------------------------

/** KafkaReplication: everything but the cut. */
const CORE: Omit<Protocol, "cutWhenFollowing"> = {
  mayFetch: isFollowing,
  mayAdvance: (state, leader) => {
    const watermark = state.highWatermark(leader);
    return everyMember(
      state,
      leader,
      (member) => isFollowing(state, leader, member) && watermark < state.logEnd(member),
    );
  },
  mayShrink: (state, leader, follower) =>
    !isCaughtUp(state, leader, follower, state.logEnd(leader)),
  mayExpand: (state, leader, follower) =>
    isCaughtUp(state, leader, follower, state.highWatermark(leader)),
  mayWriteIsr: isTrueLeader,
  cutWhenFetching: null,
  isNewer: (epoch, ownEpoch) => epoch > ownEpoch,
  elect: ({ quorumIsr }, candidate) => ((quorumIsr & (1 << candidate)) !== 0 ? quorumIsr : null),
};

const KIP_320: Protocol = {
  ...CORE,
  mayFetch: isFollowingInEpoch,
  mayAdvance: (state, leader) => {
    const watermark = state.highWatermark(leader);
    if (watermark >= state.logEnd(leader)) return false;
    return everyMember(
      state,
      leader,
      (member) => isFollowingInEpoch(state, leader, member) && watermark < state.logEnd(member),
    );
  },
  mayShrink: (state, leader, follower) =>
    !isFollowingInEpoch(state, leader, follower) || state.logEnd(follower) < state.logEnd(leader),
  mayExpand: (state, leader, follower) =>
    isFollowingInEpoch(state, leader, follower) &&
    state.logEnd(follower) >= state.highWatermark(leader) &&
    hasReachedOwnEpoch(state, leader),
  cutWhenFollowing: fenced(cutByTailMatch),
};

const FIRST_TRY: Protocol = {
  ...CORE,
  mayFetch: (state, leader, follower) =>
    isCaughtUpToEpoch(state, leader, follower, state.logEnd(follower)),
  mayAdvance: (state, leader) => {
    const next = state.highWatermark(leader) + 1;
    if (next > state.logEnd(leader)) return false;
    return everyMember(state, leader, (member) => isCaughtUpToEpoch(state, leader, member, next));
  },
  mayShrink: (state, leader, follower) =>
    !isCaughtUpToEpoch(state, leader, follower, state.logEnd(leader)),
  mayExpand: (state, leader, follower) =>
    isCaughtUpToEpoch(state, leader, follower, state.highWatermark(leader)) &&
    hasReachedOwnEpoch(state, leader),
  cutWhenFollowing: (state, _, follower) => state.logEnd(follower),
  cutWhenFetching: (state, leader, follower) => {
    if (!isFollowing(state, leader, follower)) return NOT_NOW;
    const end = state.logEnd(follower);
    const tooLong = end > state.logEnd(leader);
    const differs =
      end > 0 &&
      end <= state.logEnd(leader) &&
      state.recordEpoch(leader, end - 1) !== state.recordEpoch(follower, end - 1);
    return tooLong || differs ? cutByTailMatch(state, leader, follower) : NOT_NOW;
  },
};

export const MODULES = {
  KafkaTruncateToHighWatermark: { ...CORE, cutWhenFollowing: whenPossible(cutToHighWatermark) },
  Kip101: { ...CORE, cutWhenFollowing: whenPossible(cutByEpochEnd) },
  Kip279: { ...CORE, cutWhenFollowing: whenPossible(cutByTailMatch) },
  Kip320FirstTry: FIRST_TRY,
  Kip320: KIP_320,
} as const satisfies { readonly [name: string]: Protocol };

export type ModuleName = keyof typeof MODULES;

/** Kip320 with one guard removed (CHECKS §3.2): each must lose committed records. */
export const ABLATIONS = {
  UNCLEAN_ELECTION: { ...KIP_320, elect: (_, candidate) => 1 << candidate },
  ISR_NO_CAS: { ...KIP_320, mayWriteIsr: (state, leader) => state.presumesLeadership(leader) },
  NO_TRUNCATION: {
    ...KIP_320,
    cutWhenFollowing: fenced((state, _, follower) => state.logEnd(follower)),
  },
  TRUNC_TO_HW: { ...KIP_320, cutWhenFollowing: fenced(cutToHighWatermark) },
  EXPAND_WITHOUT_EPOCH: {
    ...KIP_320,
    mayExpand: (state, leader, follower) =>
      isFollowingInEpoch(state, leader, follower) &&
      state.logEnd(follower) >= state.highWatermark(leader),
  },
  OLD_EXPAND: { ...KIP_320, mayExpand: CORE.mayExpand },
  UNFENCED_HW_INC: { ...KIP_320, mayAdvance: CORE.mayAdvance },
  UNFENCED_TRUNC: { ...KIP_320, cutWhenFollowing: whenPossible(cutByTailMatch) },
  KIP101_LOOKUP: { ...KIP_320, cutWhenFollowing: fenced(cutByEpochEnd) },
  UNFENCED_FETCH: { ...KIP_320, mayFetch: CORE.mayFetch },
} as const satisfies { readonly [name: string]: Protocol };

export type AblationName = keyof typeof ABLATIONS;
