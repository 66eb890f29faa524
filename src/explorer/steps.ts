/**
 * Every step that can be taken in a state: the actions of Kafka's TLA+ modules, with the decisions
 * left to a protocol. A step is written down as one small number, for the trace.
 */
import { NOT_NOW, type Protocol } from "./protocol.ts";
import { NOBODY, type State } from "./state.ts";

export const ACTIONS = [
  "controller shrinks the ISR",
  "controller elects",
  "becomes leader",
  "becomes follower",
  "leader writes",
  "follower fetches",
  "follower truncates",
  "high watermark advances",
  "leader shrinks the ISR",
  "leader expands the ISR",
] as const;

const SHRINK_BY_CONTROLLER = 0;
const ELECT = 1;
const BECOME_LEADER = 2;
const BECOME_FOLLOWER = 3;
const WRITE = 4;
const FETCH = 5;
const TRUNCATE = 6;
const ADVANCE = 7;
const SHRINK_BY_LEADER = 8;
const EXPAND_BY_LEADER = 9;

/** Action, replica and operand (another replica, or an epoch), eight of each at most. */
function code(action: number, replica: number, operand = 0): number {
  return (action << 6) | (replica << 3) | operand;
}

/** Takes each step once; `found` gets the state after it, which it must copy. */
export class Stepper {
  readonly #protocol: Protocol;
  readonly #next: State;
  readonly #found: (next: State, step: number) => void;

  /** `next` is a state of the same layout, for the stepper alone. */
  constructor(protocol: Protocol, next: State, found: (next: State, step: number) => void) {
    this.#protocol = protocol;
    this.#next = next;
    this.#found = found;
  }

  expand(state: State): void {
    const { replicas } = state;
    const controllerMayWrite = state.nextEpoch < state.epochs;
    for (let replica = 0; replica < replicas; replica++) {
      if (controllerMayWrite) this.#controller(state, replica);
      this.#takeRequests(state, replica);
      if (state.presumesLeadership(replica)) this.#lead(state, replica);
    }
  }

  #controller(state: State, replica: number): void {
    const { quorumLeader, quorumIsr } = state;
    const bit = 1 << replica;
    if (quorumLeader === replica) {
      // The last member stays in the ISR, without leading.
      const rest = quorumIsr === bit ? quorumIsr : quorumIsr & ~bit;
      this.#start(state).publish(NOBODY, rest);
      this.#found(this.#next, code(SHRINK_BY_CONTROLLER, replica));
    } else if ((quorumIsr & bit) !== 0) {
      this.#start(state).publish(quorumLeader, quorumIsr & ~bit);
      this.#found(this.#next, code(SHRINK_BY_CONTROLLER, replica));
    }
    if (quorumLeader === replica) return;
    const isr = this.#protocol.elect(state, replica);
    if (isr === null) return;
    this.#start(state).publish(replica, isr);
    this.#found(this.#next, code(ELECT, replica));
  }

  #takeRequests(state: State, replica: number): void {
    const { nextEpoch } = state;
    const ownEpoch = state.leaderEpoch(replica);
    for (let epoch = 0; epoch < nextEpoch; epoch++) {
      if (!this.#protocol.isNewer(epoch, ownEpoch)) continue;
      const leader = state.requestLeader(epoch);
      if (leader === replica) {
        this.#start(state).setBelief(replica, epoch, leader, state.requestIsr(epoch));
        this.#found(this.#next, code(BECOME_LEADER, replica, epoch));
      } else if (leader !== NOBODY) {
        this.#follow(state, leader, replica, epoch);
      }
    }
  }

  #follow(state: State, leader: number, replica: number, epoch: number): void {
    const offset = this.#protocol.cutWhenFollowing(state, leader, replica, epoch);
    if (offset === NOT_NOW) return;
    const next = this.#start(state);
    cut(next, replica, offset);
    next.setBelief(replica, epoch, leader, state.requestIsr(epoch));
    this.#found(next, code(BECOME_FOLLOWER, replica, epoch));
  }

  /** What a replica does that believes to lead, and what others do because of it. */
  #lead(state: State, leader: number): void {
    const protocol = this.#protocol;
    const isr = state.isr(leader);
    if (!state.allWritten && state.logEnd(leader) < state.logSize) {
      const next = this.#start(state);
      next.append(leader, next.takeNextRecord(state.leaderEpoch(leader)));
      this.#found(next, code(WRITE, leader));
    }
    if (protocol.mayAdvance(state, leader)) {
      this.#start(state).setHighWatermark(leader, state.highWatermark(leader) + 1);
      this.#found(this.#next, code(ADVANCE, leader));
    }
    const mayWriteIsr = protocol.mayWriteIsr(state, leader);
    for (let follower = 0; follower < state.replicas; follower++) {
      if (follower === leader) continue;
      this.#serve(state, leader, follower);
      if (!mayWriteIsr) continue;
      const bit = 1 << follower;
      if ((isr & bit) !== 0) {
        if (protocol.mayShrink(state, leader, follower)) {
          this.#writeIsr(state, leader, isr & ~bit, code(SHRINK_BY_LEADER, leader, follower));
        }
      } else if (protocol.mayExpand(state, leader, follower)) {
        this.#writeIsr(state, leader, isr | bit, code(EXPAND_BY_LEADER, leader, follower));
      }
    }
  }

  #serve(state: State, leader: number, follower: number): void {
    const protocol = this.#protocol;
    const end = state.logEnd(follower);
    if (end < state.logEnd(leader) && protocol.mayFetch(state, leader, follower)) {
      const next = this.#start(state);
      next.append(follower, state.record(leader, end));
      const leaderWatermark = state.highWatermark(leader);
      next.setHighWatermark(follower, Math.min(leaderWatermark, end + 1));
      this.#found(next, code(FETCH, follower, leader));
    }
    if (protocol.cutWhenFetching === null) return;
    const offset = protocol.cutWhenFetching(state, leader, follower);
    if (offset === NOT_NOW) return;
    const next = this.#start(state);
    cut(next, follower, offset);
    this.#found(next, code(TRUNCATE, follower, leader));
  }

  #writeIsr(state: State, leader: number, isr: number, step: number): void {
    const next = this.#start(state);
    next.setQuorumIsr(isr);
    next.setIsr(leader, isr);
    this.#found(next, step);
  }

  #start(state: State): State {
    this.#next.copyFrom(state);
    return this.#next;
  }
}

function cut(state: State, replica: number, offset: number): void {
  state.truncate(replica, offset);
  if (offset < state.highWatermark(replica)) state.setHighWatermark(replica, offset);
}

/** One step in words, replicas named b1, b2, ... */
export function stepWords(step: number): string {
  const action = step >> 6;
  const replica = `b${((step >> 3) & 7) + 1}`;
  const operand = step & 7;
  switch (action) {
    case SHRINK_BY_CONTROLLER:
      return `controller takes ${replica} out of the ISR`;
    case ELECT:
      return `controller elects ${replica}`;
    case BECOME_LEADER:
      return `${replica} becomes leader in epoch ${operand}`;
    case BECOME_FOLLOWER:
      return `${replica} becomes follower in epoch ${operand}`;
    case WRITE:
      return `${replica} appends a record`;
    case FETCH:
      return `${replica} fetches a record from b${operand + 1}`;
    case TRUNCATE:
      return `${replica} truncates to b${operand + 1}'s log`;
    case ADVANCE:
      return `${replica} advances its high watermark`;
    case SHRINK_BY_LEADER:
      return `${replica} takes b${operand + 1} out of its ISR`;
    case EXPAND_BY_LEADER:
      return `${replica} takes b${operand + 1} into its ISR`;
    default:
      throw new Error(`no action ${action}`);
  }
}
