/**
 * Schedules of message delays by priority, in the manner of PCT (Burckhardt et al. 2010): every pair
 * of servers gets a rank, few ranks change at points in time, and low ranks are slow. The result is a
 * list of latency faults: explicit, replayable, open to shrinking.
 *
 * PCT's point carries over: an order that d messages must have is met with a probability that falls
 * with d only, not with the length of the run, because a rank holds for long instead of being drawn
 * per message.
 */
import { MILLISECOND, type Micros, type RandomStream } from "../../sim/index.ts";
import type { Fault } from "../plan.ts";

export interface PriorityContext {
  readonly random: RandomStream;
  readonly start: Micros;
  readonly end: Micros;
  readonly servers: readonly string[];
  /** `zookeeper.session.timeout.ms` of the brokers, in microseconds: no delay comes near it. */
  readonly sessionTimeout: Micros;
}

/** Latency faults from `start` to `end`: ranks for a part of the links, changed a few times. */
export function drawPriorities(context: PriorityContext): Fault[] {
  const { random, start, end, servers, sessionTimeout } = context;
  const changes = random.between(2, 6);
  const points = [start];
  for (let i = 0; i < changes; i++) points.push(random.between(start, end));
  points.sort((a, b) => a - b);
  const steps = [2, 10, 50, 200].map((ms) => ms * MILLISECOND);
  const usable = steps.filter((step) => step * 6 < sessionTimeout);
  const faults: Fault[] = [];
  for (const [index, at] of points.entries()) {
    const until = points[index + 1] ?? end;
    if (until - at < MILLISECOND) continue;
    // A third of the servers is behind the others, each on its way in, out, or both.
    for (const target of random.sample(servers, Math.max(1, Math.floor(servers.length / 3)))) {
      const by = random.pick(usable.length === 0 ? [MILLISECOND] : usable);
      const peers = random.pick([null, null, "brokers", "zookeeper"]);
      const direction = random.pick(["both", "in", "out"] as const);
      faults.push({
        kind: "latency",
        at,
        duration: until - at,
        target,
        peers,
        direction,
        by,
        jitter: 0,
      });
    }
  }
  return faults;
}
