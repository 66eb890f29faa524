/** Votes and the one message of fast leader election [FLE-1] [FLE-2]. */
import { mix, mixLong, type Service } from "../../sim/index.ts";
import type { Zxid } from "./txn.ts";

export type PeerState = "LOOKING" | "FOLLOWING" | "LEADING";

export interface Vote {
  readonly leader: number;
  readonly zxid: Zxid;
  readonly peerEpoch: number;
}

export interface Notification {
  readonly vote: Vote;
  readonly state: PeerState;
  /** The sender's round (`logicalclock`). */
  readonly electionEpoch: number;
}

const STATES: readonly PeerState[] = ["LOOKING", "FOLLOWING", "LEADING"];

export const ELECTION_SERVICE: Service<Notification> = {
  name: "zookeeper-election",
  typeOf: () => "notification",
  sizeOf: () => 44,
  digest({ vote, state, electionEpoch }) {
    const hash = mixLong(mix(STATES.indexOf(state), electionEpoch), vote.zxid);
    return mix(mix(hash, vote.leader), vote.peerEpoch);
  },
};

/** True when `a` beats `b`: higher epoch, then higher zxid, then higher server id [FLE-1]. */
export function betterVote(a: Vote, b: Vote): boolean {
  if (a.peerEpoch !== b.peerEpoch) return a.peerEpoch > b.peerEpoch;
  if (a.zxid !== b.zxid) return a.zxid > b.zxid;
  return a.leader > b.leader;
}
