/**
 * Facts of a run that show what no check complains about, because it is allowed: they are looked for in
 * the exhibits of claims that are false as they are said.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import type { TrialResult } from "../trial/result.ts";
import type { Trial } from "../trial/trial.ts";

/** Listens to a trial from its begin; answers at its end, with what it saw in words, or null. */
export type Witness = (trial: Trial) => (result: TrialResult) => string | null;

const NOT_LEADER_OR_FOLLOWER = 6;

const seconds = (micros: number): string => `${(micros / 1_000_000).toFixed(3)} s`;

/** Watches what brokers state; keeps the first words that `see` returns. */
function firstSeen(
  see: (fact: KafkaObservation, at: number, trial: Trial) => string | null,
): Witness {
  return (trial) => {
    let found: string | null = null;
    trial.world.observers.onAny((observation, _, at) => {
      found ??= see(observation as KafkaObservation, at, trial);
    });
    return () => found;
  };
}

function givenUpAndRead(): Witness {
  return () => (result) => {
    const givenUp = new Map<string, number>();
    for (const { type, f, value, time } of result.history) {
      for (const micro of value) {
        if (micro.f === "send" && f === "send" && type === "info") givenUp.set(micro.value, time);
        if (micro.f !== "poll" || type !== "ok") continue;
        for (const { value: polled, key, offset } of micro.records) {
          const since = givenUp.get(polled);
          if (since === undefined) continue;
          return `"${polled}": the producer gave up at ${seconds(since)}, and it was read at offset ${offset} of ${key} at ${seconds(time)}`;
        }
      }
    }
    return null;
  };
}

function storedTwice(): Witness {
  return () => (result) => {
    const places = new Map<string, number>();
    for (const { value } of result.history) {
      for (const micro of value) {
        if (micro.f !== "poll") continue;
        for (const { value: polled, key, offset } of micro.records) {
          const known = places.get(`${key} ${polled}`);
          if (known !== undefined && known !== offset) {
            return `"${polled}" stands at offsets ${known} and ${offset} of ${key}`;
          }
          places.set(`${key} ${polled}`, offset);
        }
      }
    }
    return null;
  };
}

function acknowledged(fact: KafkaObservation): boolean {
  return fact.kind === "ProduceAnswered" && fact.acks === -1 && fact.errorCode === 0;
}

function twoControllers(): Witness {
  return (trial) => {
    const believing = new Map<number, number>();
    return firstSeen((fact, at) => {
      if (fact.kind === "ControllerResigned" || fact.kind === "BrokerStarting") {
        believing.delete(fact.broker);
      }
      if (fact.kind !== "ControllerElected") return null;
      for (const [other, epoch] of believing) {
        const { running } = trial.cluster.brokers[
          other - 1
        ] as (typeof trial.cluster.brokers)[number];
        if (other === fact.broker || !running) continue;
        return `broker ${fact.broker} was elected controller with epoch ${fact.controllerEpoch} at ${seconds(at)}, while broker ${other} took itself for the controller of epoch ${epoch}`;
      }
      believing.set(fact.broker, fact.controllerEpoch);
      return null;
    })(trial);
  };
}

function acknowledgedWithoutController(): Witness {
  return firstSeen((fact, at, { cluster, roles }) => {
    if (!acknowledged(fact)) return null;
    const controller = roles.controller();
    if (cluster.brokers.some((broker) => broker === controller && broker.running)) return null;
    return `a write was acknowledged at ${seconds(at)}, while no running broker was controller`;
  });
}

function acknowledgedWithoutZooKeeper(): Witness {
  return firstSeen((fact, at, { cluster }) => {
    if (!acknowledged(fact) || cluster.zooKeepers.some(({ running }) => running)) return null;
    return `a write was acknowledged at ${seconds(at)}, while no ZooKeeper server was running`;
  });
}

/** The first partition fault of the plan cuts the leader off; nobody is elected before it ends. */
function uselessLeaderKept(): Witness {
  return (trial) => {
    const elections: number[] = [];
    const commits: number[] = [];
    trial.world.observers.onAny((observation, _, at) => {
      const fact = observation as KafkaObservation;
      if (fact.kind === "PartitionLeaderElected") elections.push(at);
      if (acknowledged(fact)) commits.push(at);
    });
    return ({ plan }) => {
      const cut = plan.faults[0];
      if (cut === undefined || cut.duration === null) return null;
      const [from, to] = [cut.at, cut.at + cut.duration];
      const during = (times: readonly number[]) =>
        times.some((at) => at > from + 1_000_000 && at < to);
      if (during(elections) || during(commits)) return null;
      return `from ${seconds(from)} to ${seconds(to)} no write was acknowledged, and no other leader was elected`;
    };
  };
}

/** The first fault of the plan keeps a follower from fetching; its leader takes it out of the ISR. */
function leftInTime(): Witness {
  return (trial) => {
    const proposals: number[] = [];
    const lag = trial.cluster.config["replica.lag.time.max.ms"] * 1000;
    trial.world.observers.onAny((observation, _, at) => {
      const fact = observation as KafkaObservation;
      if (fact.kind === "IsrProposed" && fact.proposed.length < fact.isr.length) proposals.push(at);
    });
    return ({ plan }) => {
      const begin = plan.faults[0]?.at ?? 0;
      const left = proposals.find((at) => at > begin);
      if (left === undefined || left - begin <= lag || left - begin > lag * 1.6) return null;
      return `a follower cut off at ${seconds(begin)} was to leave the ISR at ${seconds(left)}: after ${((left - begin) / lag).toFixed(2)} times replica.lag.time.max.ms`;
    };
  };
}

function joinedBehind(): Witness {
  return (trial) => {
    const ends = new Map<string, number>();
    return firstSeen((fact, at) => {
      if (fact.kind === "LogAppended") {
        const { baseOffset, records } = fact.batch;
        ends.set(`${fact.broker} ${fact.topic}-${fact.partition}`, baseOffset + records.length);
      } else if (fact.kind === "LogTruncated" || fact.kind === "LogLoaded") {
        const end = fact.kind === "LogLoaded" ? fact.logEndOffset : fact.to;
        ends.set(`${fact.broker} ${fact.topic}-${fact.partition}`, end);
      } else if (fact.kind === "IsrProposed") {
        const name = `${fact.topic}-${fact.partition}`;
        const joining = fact.proposed.find((id) => !fact.isr.includes(id));
        if (joining === undefined) return null;
        const leaderEnd = ends.get(`${fact.broker} ${name}`) ?? 0;
        const end = ends.get(`${joining} ${name}`) ?? 0;
        if (end >= leaderEnd) return null;
        return `broker ${joining} was to join the ISR of ${name} at ${seconds(at)} with a log that ended at ${end}; the leader's ended at ${leaderEnd}`;
      }
      return null;
    })(trial);
  };
}

function sentToFormerLeader(): Witness {
  return firstSeen((fact, at) => {
    if (fact.kind !== "ProduceAnswered" || fact.errorCode !== NOT_LEADER_OR_FOLLOWER) return null;
    return `broker ${fact.broker} answered a write to ${fact.topic}-${fact.partition} at ${seconds(at)} that it does not lead it`;
  });
}

export const WITNESSES = {
  "given up, and read": givenUpAndRead(),
  "stored twice": storedTwice(),
  "two controllers by their own belief": twoControllers(),
  "acknowledged without a controller": acknowledgedWithoutController(),
  "acknowledged without ZooKeeper": acknowledgedWithoutZooKeeper(),
  "useless leader kept": uselessLeaderKept(),
  "left the ISR between 1 and 1.5 lag times": leftInTime(),
  "joined behind the leader's end": joinedBehind(),
  "sent to a former leader": sentToFormerLeader(),
} as const satisfies { readonly [name: string]: Witness };

export type WitnessName = keyof typeof WITNESSES;
