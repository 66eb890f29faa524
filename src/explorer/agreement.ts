/**
 * Whether two protocols decide alike: every question that is asked in a state, to both. Equal counts of
 * states could be luck; equal answers in every state are not.
 */
import { NOT_NOW, type Protocol } from "./protocol.ts";
import type { State } from "./state.ts";

export interface Disagreement {
  readonly decision: keyof Protocol;
  readonly leader: number;
  /** The follower; the leader itself where no other replica is asked about. */
  readonly follower: number;
  readonly answers: readonly [unknown, unknown];
}

export interface Agreement {
  readonly asked: number;
  readonly disagreements: readonly Disagreement[];
}

export function compareDecisions(state: State, a: Protocol, b: Protocol): Agreement {
  const disagreements: Disagreement[] = [];
  let asked = 0;
  const ask = (
    decision: keyof Protocol,
    leader: number,
    follower: number,
    answer: (protocol: Protocol) => unknown,
  ) => {
    asked++;
    const answers = [answer(a), answer(b)] as const;
    if (answers[0] !== answers[1]) disagreements.push({ decision, leader, follower, answers });
  };
  for (let leader = 0; leader < state.replicas; leader++) {
    ask("elect", leader, leader, (protocol) => protocol.elect(state, leader));
    const leads = state.presumesLeadership(leader);
    if (leads) {
      ask("mayAdvance", leader, leader, (protocol) => protocol.mayAdvance(state, leader));
      ask("mayWriteIsr", leader, leader, (protocol) => protocol.mayWriteIsr(state, leader));
    }
    for (let follower = 0; follower < state.replicas; follower++) {
      if (follower === leader) continue;
      for (let epoch = 0; epoch < state.nextEpoch; epoch++) {
        const own = state.leaderEpoch(follower);
        ask("isNewer", leader, follower, (protocol) => protocol.isNewer(epoch, own));
        if (epoch <= own || state.requestLeader(epoch) !== leader) continue;
        ask("cutWhenFollowing", leader, follower, (protocol) =>
          protocol.cutWhenFollowing(state, leader, follower, epoch),
        );
      }
      if (leads) askOfServing(state, leader, follower, ask);
    }
  }
  return { asked, disagreements };
}

function askOfServing(
  state: State,
  leader: number,
  follower: number,
  ask: (
    decision: keyof Protocol,
    leader: number,
    follower: number,
    answer: (protocol: Protocol) => unknown,
  ) => void,
): void {
  if (state.logEnd(follower) < state.logEnd(leader)) {
    ask("mayFetch", leader, follower, ({ mayFetch }) => mayFetch(state, leader, follower));
  }
  ask("cutWhenFetching", leader, follower, ({ cutWhenFetching }) =>
    cutWhenFetching === null ? NOT_NOW : cutWhenFetching(state, leader, follower),
  );
  if ((state.isr(leader) & (1 << follower)) !== 0) {
    ask("mayShrink", leader, follower, ({ mayShrink }) => mayShrink(state, leader, follower));
  } else {
    ask("mayExpand", leader, follower, ({ mayExpand }) => mayExpand(state, leader, follower));
  }
}
