/**
 * The choice of a leader: one pure function per strategy of [CTL-41].
 *
 * The controller never compares log lengths [CTL-45]: only ISR membership, liveness and the order of
 * the assignment decide. null means that no replica may lead; nothing is then written.
 */
import { RECOVERED, RECOVERING } from "../protocol/messages.ts";

export interface Candidates {
  readonly assignment: readonly number[];
  readonly isr: readonly number[];
  readonly leaderRecoveryState: number;
  /** Registered, not shutting down, log directory not offline. */
  readonly isLive: (broker: number) => boolean;
}

export interface Elected {
  readonly leader: number;
  readonly isr: readonly number[];
  readonly leaderRecoveryState: number;
  /** Who gets the LeaderAndIsr request. */
  readonly recipients: readonly number[];
  /** The leader comes from outside of the ISR. */
  readonly unclean?: true;
}

/** A leader died. `unclean`: whether a replica outside the ISR may lead when none inside lives. */
export function electOffline(candidates: Candidates, unclean: boolean): Elected | null {
  const { assignment, isr, isLive } = candidates;
  const recipients = assignment.filter(isLive);
  const inSync = recipients.find((broker) => isr.includes(broker));
  if (inSync !== undefined) {
    const { leaderRecoveryState } = candidates;
    return { leader: inSync, isr: isr.filter(isLive), leaderRecoveryState, recipients };
  }
  const any = recipients[0];
  if (!unclean || any === undefined) return null;
  return { leader: any, isr: [any], leaderRecoveryState: RECOVERING, recipients, unclean: true };
}

/** The reassignment's target takes over; `target` in its own order. */
export function electReassigned(candidates: Candidates, target: readonly number[]): Elected | null {
  const { isr, isLive, leaderRecoveryState } = candidates;
  const leader = target.find((broker) => isLive(broker) && isr.includes(broker));
  if (leader === undefined) return null;
  return { leader, isr, leaderRecoveryState, recipients: target };
}

export function electPreferred(candidates: Candidates): Elected | null {
  const { assignment, isr, isLive, leaderRecoveryState } = candidates;
  const leader = assignment[0];
  if (leader === undefined || !isLive(leader) || !isr.includes(leader)) return null;
  return { leader, isr, leaderRecoveryState, recipients: assignment };
}

/**
 * A leader asked to stop. `isRegistered`: live or shutting down, log directory not offline;
 * `isShuttingDown` selects those that must neither lead nor stay in the ISR.
 */
export function electForShutdown(
  candidates: Candidates,
  isRegistered: (broker: number) => boolean,
  isShuttingDown: (broker: number) => boolean,
): Elected | null {
  const { assignment, isr, leaderRecoveryState } = candidates;
  const recipients = assignment.filter(isRegistered);
  const leader = recipients.find((broker) => isr.includes(broker) && !isShuttingDown(broker));
  if (leader === undefined) return null;
  const rest = isr.filter((broker) => !isShuttingDown(broker));
  return { leader, isr: rest, leaderRecoveryState, recipients };
}

/** The first election of a partition: nobody has fetched yet, so all live replicas are in sync. */
export function electFirst(
  assignment: readonly number[],
  isLive: (broker: number) => boolean,
): Elected | null {
  const live = assignment.filter(isLive);
  const leader = live[0];
  if (leader === undefined) return null;
  return { leader, isr: live, leaderRecoveryState: RECOVERED, recipients: live };
}
