/**
 * Fast leader election: the algorithm of one server [FLE-1] to [FLE-6].
 *
 * A state machine over notifications and one timer. It ends with a leader that a quorum voted for, as
 * far as this server can see; whether that leader really leads shows in discovery [FLE-8].
 */
import { MILLISECOND, type ProcessContext, type Timer } from "../../sim/index.ts";
import type { ZooKeeperConfig } from "./config.ts";
import { betterVote, type Notification, type PeerState, type Vote } from "./election-messages.ts";
import { ElectionPeers, type EnsembleMember } from "./election-peers.ts";

/** A vote as a member stated it. */
interface StatedVote extends Vote {
  readonly electionEpoch: number;
  readonly state: PeerState;
}

export interface ElectionOptions {
  readonly ensemble: readonly EnsembleMember[];
  readonly self: number;
  readonly config: ZooKeeperConfig;
  /** The variant `zookeeper-vote-ignores-zxid`. */
  readonly ignoreZxid: boolean;
  /** The election has ended with this leader. */
  readonly elected: (leader: number) => void;
}

/** Same candidate, as votes are counted: out of an election only leader and epoch are compared. */
function agree(a: StatedVote, b: StatedVote): boolean {
  if (a.leader !== b.leader || a.peerEpoch !== b.peerEpoch) return false;
  if (a.state !== "LOOKING" && b.state !== "LOOKING") return true;
  return a.zxid === b.zxid && a.electionEpoch === b.electionEpoch;
}

export class FastLeaderElection {
  readonly #options: ElectionOptions;
  readonly #peers: ElectionPeers;
  readonly #timer: Timer;
  readonly #finalizeTimer: Timer;
  #state: PeerState = "LOOKING";
  /** `logicalclock`: +1 at each entry to LOOKING [FLE-2]; volatile. */
  #round = 0;
  /** While looking: what this server proposes; afterwards: the vote that it ended with. */
  #vote: Vote;
  #initial: Vote;
  /** Votes of this round. */
  readonly #received = new Map<number, StatedVote>();
  /** Votes of servers that follow or lead [FLE-5]. */
  readonly #outOfElection = new Map<number, StatedVote>();
  #timeoutMs = 0;
  #looking = false;

  constructor(context: ProcessContext, options: ElectionOptions) {
    this.#options = options;
    this.#vote = { leader: options.self, zxid: 0, peerEpoch: 0 };
    this.#initial = this.#vote;
    this.#timer = context.timer(() => this.#timedOut());
    this.#finalizeTimer = context.timer(() => this.#finish(this.#vote.leader));
    const receive = (from: number, notification: Notification) => this.#receive(from, notification);
    const { ensemble, self, config } = options;
    this.#peers = new ElectionPeers(context, ensemble, self, config, receive);
  }

  get round(): number {
    return this.#round;
  }

  get vote(): Vote {
    return this.#vote;
  }

  /** Enters LOOKING with the own history as the first proposal [FLE-3]. */
  look(zxid: number, peerEpoch: number): void {
    this.#state = "LOOKING";
    this.#looking = true;
    this.#round++;
    this.#initial = { leader: this.#options.self, zxid, peerEpoch };
    this.#vote = this.#initial;
    this.#received.clear();
    this.#outOfElection.clear();
    this.#timeoutMs = this.#options.config.electionNotificationTimeoutMs;
    this.#broadcast();
    this.#timer.set(this.#timeoutMs * MILLISECOND);
    this.#decideIfQuorum();
  }

  /** The leader is established: later notifications carry its epoch. */
  established(epoch: number): void {
    this.#vote = { ...this.#vote, peerEpoch: epoch };
  }

  #notification(): Notification {
    return { vote: this.#vote, state: this.#state, electionEpoch: this.#round };
  }

  /** Tells all voters, this server included. */
  #broadcast(): void {
    this.#peers.broadcast(this.#notification());
    this.#store(this.#options.self, this.#vote, this.#round, "LOOKING");
  }

  #store(from: number, vote: Vote, electionEpoch: number, state: PeerState): void {
    this.#received.set(from, { ...vote, electionEpoch, state });
  }

  #better(a: Vote, b: Vote): boolean {
    if (this.#options.ignoreZxid) return a.leader > b.leader;
    return betterVote(a, b);
  }

  #timedOut(): void {
    if (this.#peers.haveDelivered()) this.#broadcast();
    else this.#peers.connectAll();
    const { electionNotificationTimeoutMaxMs } = this.#options.config;
    this.#timeoutMs = Math.min(this.#timeoutMs * 2, electionNotificationTimeoutMaxMs);
    this.#timer.set(this.#timeoutMs * MILLISECOND);
  }

  #receive(from: number, notification: Notification): void {
    if (!this.#looking) {
      // [FLE-6]
      if (notification.state === "LOOKING") this.#peers.send(from, this.#notification());
      return;
    }
    if (notification.state === "LOOKING" && notification.electionEpoch < this.#round) {
      this.#peers.send(from, this.#notification());
    }
    if (this.#finalizeTimer.armed) {
      // Finalize wait: only a better vote is looked at; each one read prolongs the wait [FLE-4].
      if (!this.#better(notification.vote, this.#vote)) {
        this.#armFinalize();
        return;
      }
      this.#finalizeTimer.cancel();
    }
    this.#timer.set(this.#timeoutMs * MILLISECOND);
    if (notification.state === "LOOKING") this.#receiveLooking(from, notification);
    else this.#receiveSettled(from, notification);
  }

  #receiveLooking(from: number, { vote, electionEpoch }: Notification): void {
    if (electionEpoch < this.#round) return;
    if (electionEpoch > this.#round) {
      this.#round = electionEpoch;
      this.#received.clear();
      this.#vote = this.#better(vote, this.#initial) ? vote : this.#initial;
      this.#broadcast();
    } else if (this.#better(vote, this.#vote)) {
      this.#vote = vote;
      this.#broadcast();
    }
    this.#store(from, vote, electionEpoch, "LOOKING");
    this.#decideIfQuorum();
  }

  #decideIfQuorum(): void {
    const own: StatedVote = { ...this.#vote, electionEpoch: this.#round, state: "LOOKING" };
    if (!this.#isQuorum(this.#received, own)) return;
    this.#timer.cancel();
    this.#armFinalize();
  }

  #armFinalize(): void {
    this.#finalizeTimer.set(this.#options.config.electionFinalizeWaitMs * MILLISECOND);
  }

  /** A notification of a server that follows or leads [FLE-5]. */
  #receiveSettled(from: number, { vote, electionEpoch, state }: Notification): void {
    const stated: StatedVote = { ...vote, electionEpoch, state };
    if (electionEpoch === this.#round) {
      this.#received.set(from, stated);
      if (
        this.#isQuorum(this.#received, stated) &&
        this.#isVerified(this.#received, vote.leader, electionEpoch)
      ) {
        this.#vote = vote;
        this.#finish(vote.leader);
        return;
      }
    }
    this.#outOfElection.set(from, stated);
    if (
      this.#isQuorum(this.#outOfElection, stated) &&
      this.#isVerified(this.#outOfElection, vote.leader, electionEpoch)
    ) {
      this.#round = electionEpoch;
      this.#vote = vote;
      this.#finish(vote.leader);
    }
  }

  #isQuorum(votes: ReadonlyMap<number, StatedVote>, vote: StatedVote): boolean {
    let count = 0;
    for (const other of votes.values()) if (agree(other, vote)) count++;
    return 2 * count > this.#options.ensemble.length;
  }

  #isVerified(
    votes: ReadonlyMap<number, StatedVote>,
    leader: number,
    electionEpoch: number,
  ): boolean {
    if (leader === this.#options.self) return this.#round === electionEpoch;
    return votes.get(leader)?.state === "LEADING";
  }

  #finish(leader: number): void {
    this.#timer.cancel();
    this.#finalizeTimer.cancel();
    this.#looking = false;
    this.#state = leader === this.#options.self ? "LEADING" : "FOLLOWING";
    this.#options.elected(leader);
  }
}
