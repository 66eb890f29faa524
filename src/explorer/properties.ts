/**
 * What the TLA+ modules promise. A hold in every reachable state is a proof within the sizes.
 */
import { NOBODY, type State } from "./state.ts";

export type Property = (state: State) => boolean;

/** Below the high watermark of whoever presumes to lead, its own ISR has the same records. */
export function weakIsr(state: State): boolean {
  for (let replica = 0; replica < state.replicas; replica++) {
    if (!state.presumesLeadership(replica)) continue;
    if (!holdsCommitted(state, replica, state.isr(replica))) return false;
  }
  return true;
}

/** The same for the ISR in the quorum: what was exposed is on every electable replica. */
export function strongIsr(state: State): boolean {
  for (let replica = 0; replica < state.replicas; replica++) {
    if (!state.presumesLeadership(replica)) continue;
    if (!holdsCommitted(state, replica, state.quorumIsr)) return false;
  }
  return true;
}

/** Nobody leads, or a member of the ISR does. The module forgets the first half. */
export function leaderInIsr(state: State): boolean {
  const { quorumLeader, quorumIsr } = state;
  return quorumLeader === NOBODY || (quorumIsr & (1 << quorumLeader)) !== 0;
}

function holdsCommitted(state: State, leader: number, members: number): boolean {
  const watermark = state.highWatermark(leader);
  // No member, nobody who could lack anything.
  if (members !== 0 && state.logEnd(leader) < watermark) return false;
  for (let member = 0; member < state.replicas; member++) {
    if ((members & (1 << member)) === 0 || member === leader) continue;
    if (state.logEnd(member) < watermark) return false;
    for (let offset = 0; offset < watermark; offset++) {
      if (state.record(member, offset) !== state.record(leader, offset)) return false;
    }
  }
  return true;
}
