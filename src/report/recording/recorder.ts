/**
 * Runs a trial and records it for a report.
 *
 * A trial is deterministic, so it is run twice: first to learn which moment matters, then to record all
 * of it with the messages around that moment. Platform-neutral: the same code records in the page.
 */
import type { FaultObservation } from "../../faults/observations.ts";
import type { BecameLeader, LogTruncated } from "../../model/kafka/observations.ts";
import type { Frame, LeaderAndIsrRequest } from "../../model/kafka/protocol/messages.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { MessageTap, Service } from "../../sim/index.ts";
import type { ToolVersion } from "../../trial/failure-file.ts";
import type { TrialResult } from "../../trial/result.ts";
import type { Override } from "../../trial/scenario.ts";
import { runTrial, type Trial, type TrialOptions } from "../../trial/trial.ts";
import { Board } from "../board.ts";
import { faultWords } from "../fault-words.ts";
import { transitionOf } from "../transition.ts";
import { DeltaColumn } from "./columns.ts";
import type { Moment, RecordedFact, RecordedFault, Recording, ScenarioSource } from "./format.ts";
import { LogRecorder } from "./log-recorder.ts";
import { USUAL_WINDOW, type WindowLimits } from "./window-limits.ts";
import { WindowRecorder } from "./window-recorder.ts";

/** Kinds that come per record or per transaction: columns hold them, not facts. */
const PER_RECORD = new Set([
  "LogAppended",
  "HighWatermarkMoved",
  "RecordSent",
  "RecordAcknowledged",
  "RecordFailed",
  "RecordsPolled",
  "ProduceAnswered",
  "FetchServed",
  "ZkLogged",
  "ZkApplied",
  "ZkClientAnswer",
]);
/** So many turning points are offered. */
const MOMENTS_MAX = 4;
const MOMENTS_AFTER = 3;
/** So long after the finding, what becomes of the partition still belongs to it. */
const AFTERMATH = 30_000_000;

export interface RecordingOptions {
  readonly trial: TrialOptions;
  readonly tool: ToolVersion;
  readonly overrides: readonly Override[];
  /** The scenario as written, so that the page can draw it again under another seed. */
  readonly source?: ScenarioSource | null;
  readonly commands: readonly (readonly [label: string, command: string])[];
  /** Instead of the moment that matters and the usual extent around it. */
  readonly window?: WindowLimits;
  /** The moment that matters, when it is known: saves the first of the two runs. */
  readonly known?: Moment;
}

export function recordTrial(options: RecordingOptions): Recording {
  const { focus, moments } =
    options.known === undefined ? scout(options.trial) : { focus: options.known, moments: [] };
  const limits = options.window ?? { ...USUAL_WINDOW, focus: focus.at };
  let recorder: TrialRecorder | undefined;
  const { onWorld: _onWorld, ...rest } = options.trial;
  const result = runTrial({
    ...rest,
    onWorld: (trial) => {
      recorder = new TrialRecorder(trial, limits);
    },
  });
  const { history: _history, ...trial } = result;
  return {
    tool: options.tool,
    trial,
    overrides: options.overrides,
    source: options.source ?? null,
    commands: options.commands,
    focus,
    moments,
    ...(recorder as TrialRecorder).parts(),
  };
}

function scout(options: TrialOptions): { focus: Moment; moments: Moment[] } {
  const looking = new Scout();
  const result = runTrial({
    ...options,
    onWorld: (trial) => {
      options.onWorld?.(trial);
      looking.attach(trial);
    },
  });
  return looking.judge(result);
}

interface TurningPoint extends Moment {
  readonly partition: string;
  /** Offsets from here on are concerned. */
  readonly offset: number;
}

/** Looks for the moments that matter: where logs were cut and leaders elected behind others. */
class Scout {
  readonly #points: TurningPoint[] = [];

  attach(trial: Trial): void {
    const { observers } = trial.world;
    const name = ({ topic, partition }: { topic: string; partition: number }) =>
      `${topic}-${partition}`;
    const ends = new Map<string, number>();
    observers.on<LogTruncated>("LogTruncated", (fact, _node, at) => {
      if (fact.from <= fact.to) return;
      const says = `b${fact.broker} truncates ${name(fact)} ${fact.from} → ${fact.to}`;
      this.#points.push({ at, says, partition: name(fact), offset: fact.to });
    });
    observers.on<BecameLeader>("BecameLeader", (fact, _node, at) => {
      const partition = name(fact);
      const behind = fact.logEndOffset < (ends.get(partition) ?? 0);
      ends.set(partition, fact.logEndOffset);
      const says = `b${fact.broker} leads ${partition}, epoch ${fact.leaderEpoch}${behind ? ", with a shorter log" : ""}`;
      this.#points.push({ at, says, partition, offset: fact.logEndOffset });
    });
    observers.on<LogTruncated>("LogTruncated", (fact) => {
      ends.set(name(fact), fact.to);
    });
    observers.on<{ kind: "HighWatermarkMoved"; topic: string; partition: number; to: number }>(
      "HighWatermarkMoved",
      (fact) => {
        const partition = name(fact);
        if (fact.to > (ends.get(partition) ?? 0)) ends.set(partition, fact.to);
      },
    );
  }

  judge(result: TrialResult): { focus: Moment; moments: Moment[] } {
    const finding = result.violations[0] ?? result.outside[0];
    if (finding === undefined) {
      const fault = result.plan.faults[0];
      const chaos = result.phases.find(({ name }) => name === "chaos");
      const focus =
        fault === undefined
          ? { at: chaos?.from ?? 0, says: "load begins" }
          : { at: fault.at, says: `first fault: ${faultWords(fault)}` };
      return { focus, moments: [focus] };
    }
    const seen: Moment = { at: finding.at, says: `${finding.check} is seen` };
    const partition =
      finding.topic === undefined ? null : `${finding.topic}-${finding.partition ?? 0}`;
    const offset = finding.offset ?? Number.POSITIVE_INFINITY;
    const about = this.#points.filter(
      (point) => partition === null || (point.partition === partition && point.offset <= offset),
    );
    const points = about.filter(({ at }) => at <= finding.at);
    const later = about.filter(({ at }) => at > finding.at && at <= finding.at + AFTERMATH);
    const words = ({ at, says }: TurningPoint): Moment => ({ at, says });
    const moments = [
      ...points.slice(-MOMENTS_MAX).map(words),
      seen,
      ...later.slice(0, MOMENTS_AFTER).map(words),
    ];
    // A checker sees the loss when all is over: what caused it is more telling.
    const late = result.phases.find(({ name }) => name === "heal")?.from ?? result.virtualMicros;
    const cause = points[points.length - 1];
    const focus =
      finding.at >= late && cause !== undefined ? { at: cause.at, says: cause.says } : seen;
    return { focus, moments };
  }
}

/** Listens to one run and keeps what a report needs. */
class TrialRecorder {
  readonly #trial: Trial;
  readonly #partitions: string[];
  readonly #log: LogRecorder;
  readonly #window: WindowRecorder;
  readonly #board: Board;
  readonly #facts: RecordedFact[] = [];
  readonly #faults: (RecordedFault & { to: number | null })[] = [];
  readonly #txns: [number, Txn][] = [];
  readonly #txnNumbers = new Map<number, number>();
  readonly #applied = { at: new DeltaColumn(), node: [] as number[], txn: [] as number[] };

  constructor(trial: Trial, limits: WindowLimits) {
    this.#trial = trial;
    const { world } = trial;
    this.#partitions = trial.scenario.topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, i) => `${name}-${i}`),
    );
    this.#log = new LogRecorder(world.observers, this.#partitions);
    this.#board = new Board(world);
    this.#window = new WindowRecorder(world, limits);
    world.network.tap = new ControllerTap(this.#window, (to, node, request) =>
      this.#told(to, node, request),
    );
    world.observers.onAny((observation, node, at) => {
      const { kind } = observation;
      if (kind === "ZkApplied") {
        this.#apply(observation as unknown as { zxid: number; txn: Txn }, node, at);
      }
      if (PER_RECORD.has(kind)) {
        this.#board.update(observation, node);
        return;
      }
      if (kind === "ZkSnapshotInstalled") this.#restore(observation, node, at);
      const transition = transitionOf(observation, node, this.#board);
      this.#board.update(observation, node);
      if (kind === "FaultStarted" || kind === "FaultEnded") {
        this.#fault(observation as FaultObservation, at);
      }
      const fact = observation as RecordedFact[2];
      if (transition === null) this.#facts.push([at, node, fact]);
      else this.#facts.push([at, node, fact, transition.mark, transition.says]);
    });
  }

  #apply({ zxid, txn }: { zxid: number; txn: Txn }, node: number, at: number): void {
    let number = this.#txnNumbers.get(zxid);
    if (number === undefined) {
      number = this.#txns.length;
      this.#txns.push([zxid, txn]);
      this.#txnNumbers.set(zxid, number);
    }
    this.#applied.at.push(at);
    this.#applied.node.push(node);
    this.#applied.txn.push(number);
  }

  /** A server's state was replaced: by what it holds of the transactions known. */
  #restore(observation: object, node: number, at: number): void {
    const { zxid } = observation as { zxid: number };
    let number = -1;
    for (let i = this.#txns.length - 1; i >= 0 && number < 0; i--) {
      if ((this.#txns[i] as [number, Txn])[0] <= zxid) number = i;
    }
    this.#applied.at.push(at);
    this.#applied.node.push(node);
    this.#applied.txn.push(number);
  }

  #fault(observation: FaultObservation, at: number): void {
    const { fault, targets } = observation;
    if (observation.kind === "FaultStarted") {
      this.#faults.push({ fault, says: faultWords(fault), targets, from: at, to: null });
      return;
    }
    const open = this.#faults.find((one) => one.fault === fault && one.to === null);
    if (open !== undefined) open.to = at;
  }

  /** What a controller believes shows in what it tells: kept for the whole trial, it is rare. */
  #told(to: number, node: number, request: LeaderAndIsrRequest): void {
    const partitions = request.topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(({ partitionIndex, leader, leaderEpoch, isr, partitionEpoch }) => ({
        name: `${topicName}-${partitionIndex}`,
        leader,
        leaderEpoch,
        isr,
        partitionEpoch,
      })),
    );
    const { controllerEpoch } = request;
    const fact = { kind: "LeaderAndIsrSent", to, controllerEpoch, partitions };
    this.#facts.push([this.#trial.world.now, node, fact]);
  }

  parts(): Omit<
    Recording,
    "source" | "tool" | "trial" | "overrides" | "commands" | "focus" | "moments"
  > {
    const { world } = this.#trial;
    return {
      nodes: world.nodes.map(({ name, group }) => ({ name, group })),
      partitions: this.#partitions,
      faults: this.#faults,
      facts: this.#facts,
      ...this.#log.columns(),
      strings: this.#log.strings.strings,
      zookeeper: { ...this.#applied, at: this.#applied.at.values, txns: this.#txns },
      window: this.#window.window((topic, partition) => this.#log.partition({ topic, partition })),
    };
  }
}

/** Passes on, and picks out what controllers tell. */
class ControllerTap implements MessageTap {
  readonly #next: MessageTap;
  readonly #told: (to: number, from: number, request: LeaderAndIsrRequest) => void;

  constructor(
    next: MessageTap,
    told: (to: number, from: number, request: LeaderAndIsrRequest) => void,
  ) {
    this.#next = next;
    this.#told = told;
  }

  sent(from: number, to: number, service: Service<unknown>, message: unknown): void {
    if (service.name === "kafka") {
      const frame = message as Frame;
      if (frame.api === "LeaderAndIsr" && !frame.response) {
        this.#told(to, from, frame.body as LeaderAndIsrRequest);
      }
    }
    this.#next.sent(from, to, service, message);
  }

  arrived(from: number, to: number, service: Service<unknown>, message: unknown): void {
    this.#next.arrived(from, to, service, message);
  }
}
