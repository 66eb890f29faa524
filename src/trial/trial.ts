/**
 * One trial: one scenario under one seed, through its phases, to a verdict.
 *
 * configure -> boot -> chaos -> heal -> converge -> final reads -> verdict. Everything is a function of
 * the resolved scenario, the seed, the variant and (in a replay) the explicit plan. Knows no files, no
 * clock, no terminal; the same code runs in a worker and in a page.
 */

import type { Finding } from "../checks/finding.ts";
import { GoalTracker } from "../checks/goals.ts";
import { GuaranteeTracker } from "../checks/guarantee.ts";
import type { HistoryTable } from "../checks/history-table.ts";
import {
  attachInvariants,
  type ClusterFacts,
  type InvariantSet,
} from "../checks/invariants/index.ts";
import { bySignificance } from "../checks/significance.ts";
import { FaultInjector } from "../faults/injector.ts";
import { drawNemesis, type NemesisDraw } from "../faults/nemesis.ts";
import type { FaultPlan } from "../faults/plan.ts";
import type { TopicPartition } from "../model/clients/api.ts";
import { Roles } from "../model/roles.ts";
import { type Switches, switchesFor } from "../model/variants/registry.ts";
import {
  LimitReached,
  type Limits,
  type Micros,
  parseDuration,
  SECOND,
  type SimNode,
  World,
} from "../sim/index.ts";
import { HistoryRecorder } from "../workloads/history-recorder.ts";
import {
  addAdmin,
  addConsumers,
  addFinalReader,
  addOperator,
  addProducers,
  type ClientGroup,
  topicLoads,
} from "./clients.ts";
import { buildCluster, type Cluster } from "./cluster.ts";
import type { Drawn } from "./draw.ts";
import { clusterFacts } from "./facts.ts";
import { historyFindings } from "./history-findings.ts";
import { Liveness } from "./liveness.ts";
import { type OwnParts, OwnRuntime } from "./own.ts";
import type { OutsideFinding, TrialPhase, TrialResult, Verdict } from "./result.ts";
import type { ResolvedScenario, Scenario } from "./scenario.ts";
import { TopicLives } from "./topic-lives.ts";

export interface TrialOptions {
  readonly scenario: ResolvedScenario;
  readonly seed: string;
  readonly variant?: string | null;
  /** Explicit faults at absolute times instead of the scenario's faults and nemesis: a replay. */
  readonly plan?: FaultPlan | null;
  readonly checked?: boolean;
  readonly limits?: Partial<Limits>;
  /** Off only in benchmarks that measure what the invariants cost. */
  readonly invariants?: boolean;
  /**
   * Asked about each finding with its clause (null: a violation); true ends the trial there, and the
   * history is not judged. For shrinking, which looks for one finding.
   */
  readonly stopAt?: (finding: Finding, clause: string | null) => boolean;
  /** With `stopAt`: no phase after this one. */
  readonly lastPhase?: "chaos" | "final reads";
  /** Workloads, checks and faults written in TypeScript. */
  readonly own?: OwnParts;
  /** Called when the world is built and nothing has started: logs and traces attach here. */
  readonly onWorld?: (trial: Trial) => void;
}

/** Booting takes a few virtual seconds; a cluster that cannot boot makes the trial `unknown`. */
const BOOT_LIMIT = 300 * SECOND;
const FINAL_READ_LIMIT = 120 * SECOND;
/** Of one check, so many findings are listed; the rest is counted. */
const LISTED_PER_CHECK = 5;

export function runTrial(options: TrialOptions): TrialResult {
  return new Trial(options).run();
}

export class Trial {
  readonly options: TrialOptions;
  readonly scenario: Scenario;
  readonly world: World;
  readonly cluster: Cluster;
  readonly roles: Roles;
  readonly injector: FaultInjector;
  readonly nemesis: NemesisDraw | null;
  readonly facts: ClusterFacts;
  readonly recorder = new HistoryRecorder();
  readonly liveness: Liveness;
  /** null with invariants off. */
  readonly goals: GoalTracker | null;
  readonly phases: TrialPhase[] = [];
  readonly #switches: Switches;
  readonly #guarantee: GuaranteeTracker | null;
  readonly #invariants: InvariantSet | null;
  readonly #violations: Finding[] = [];
  readonly #outside: OutsideFinding[] = [];
  readonly #counts = new Map<string, number>();
  readonly #control = { stopped: false };
  readonly #admin: { readonly node: SimNode; readonly done: () => boolean };
  readonly #producers: ClientGroup;
  readonly #consumers: ClientGroup;
  readonly #finalProgress = new Map<string, number>();
  readonly #finalControl = { stopped: false };
  readonly #finalReader: SimNode;
  /** Filled when the final reads begin. */
  readonly #finalPartitions: TopicPartition[] = [];
  readonly #operator: SimNode | null;
  readonly #own: OwnRuntime;
  /** null where nobody can delete a topic. */
  readonly #lives: TopicLives | null;
  #attributed: HistoryTable | null = null;
  #why: string | null = null;
  /** `stopAt` has ended the trial. */
  #stopped = false;

  constructor(options: TrialOptions) {
    this.options = options;
    this.scenario = options.scenario.scenario;
    const { scenario } = this;
    this.#switches = switchesFor(options.variant ?? null);
    this.world = new World({
      seed: options.seed,
      checked: options.checked ?? false,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    const { world } = this;
    this.cluster = buildCluster(world, scenario, this.#switches);
    this.facts = clusterFacts(scenario);
    this.roles = new Roles(world);
    this.#invariants =
      options.invariants === false
        ? null
        : attachInvariants(world.observers, this.facts, (finding) => this.#report(finding));
    this.#guarantee =
      this.#invariants === null
        ? null
        : new GuaranteeTracker(world.observers, this.facts, this.#invariants.ghost);
    this.goals =
      this.#invariants === null ? null : new GoalTracker(world.observers, this.#invariants.ghost);
    this.liveness = new Liveness(world, this.roles, this.cluster.brokers, this.recorder);
    const mayDelete =
      options.own !== undefined || scenario.admin.some((one) => one["delete-topic"] !== undefined);
    this.#lives = mayDelete ? new TopicLives(world.observers) : null;
    this.injector = new FaultInjector(world, this.roles);
    const parts = {
      cluster: this.cluster,
      scenario,
      switches: this.#switches,
      recorder: this.recorder,
      control: this.#control,
      load: topicLoads(scenario),
    };
    this.#admin = addAdmin(parts);
    this.#producers = addProducers(parts);
    this.#consumers = addConsumers(parts);
    this.#finalReader = addFinalReader({
      ...parts,
      control: this.#finalControl,
      progress: this.#finalProgress,
      partitions: this.#finalPartitions,
    });
    this.#operator = addOperator(parts, this.liveness.operations);
    const report = (finding: Finding) => this.#report(finding);
    this.#own = new OwnRuntime(options.own ?? {}, { ...parts, roles: this.roles, report });
    this.nemesis = this.#drawNemesis();
    options.onWorld?.(this);
  }

  get drawn(): readonly Drawn[] {
    return this.options.scenario.drawn;
  }

  /** Through all phases to the result. Errors of the model propagate: they are bugs. */
  run(): TrialResult {
    try {
      if (this.#boot()) {
        this.#chaos();
        if (this.options.lastPhase === "chaos") this.#stopped = true;
        if (!this.#stopped) this.#heal();
        if (!this.#stopped) this.#converge();
        if (!this.#stopped) this.#finalReads();
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      this.#why = error.message;
    }
    if (!this.#stopped) this.#judge();
    return this.#result();
  }

  #drawNemesis(): NemesisDraw | null {
    const { nemesis } = this.scenario;
    if (nemesis === undefined || this.options.plan != null) return null;
    const { world, cluster, scenario } = this;
    return drawNemesis(world.random.stream("configure/nemesis"), {
      start: SECOND,
      end: this.#duration,
      intensity: nemesis.intensity,
      reactive: nemesis.reactive,
      ...(nemesis.kinds === undefined ? {} : { kinds: nemesis.kinds }),
      allow: { dataLoss: nemesis.dataLoss },
      sessionTimeout: cluster.config["zookeeper.session.timeout.ms"] * 1000,
      topology: {
        brokers: cluster.brokers.map(({ name }) => name),
        zookeeper: cluster.zooKeepers.map(({ name }) => name),
        clients: [...this.#producers.nodes, ...this.#consumers.nodes].map(({ name }) => name),
        topics: scenario.topics.map(({ name, partitions }) => ({ name, partitions })),
      },
    });
  }

  get #duration(): Micros {
    return parseDuration(this.scenario.duration) as Micros;
  }

  #phase(name: TrialPhase["name"], from: Micros): void {
    this.phases.push({ name, from, to: this.world.now });
  }

  #boot(): boolean {
    const { world, cluster } = this;
    for (const node of cluster.zooKeepers) world.start(node);
    for (const node of cluster.brokers) world.start(node);
    const ready = () => this.#stopped || this.liveness.machinesReady;
    world.runUntilCondition(ready, BOOT_LIMIT);
    world.start(this.#admin.node);
    world.runUntilCondition(
      () => this.#stopped || (this.#admin.done() && this.liveness.pending() === null),
      BOOT_LIMIT,
    );
    this.#phase("boot", 0);
    if (this.#stopped) return false;
    const pending = this.#admin.done()
      ? this.liveness.pending()
      : { reason: "topics are not created" };
    if (pending !== null) this.#why = `the cluster did not boot: ${pending.reason}`;
    return pending === null;
  }

  #chaos(): void {
    const { world, injector, scenario, options } = this;
    const from = world.now;
    for (const node of this.#producers.nodes) world.start(node);
    for (const node of this.#consumers.nodes) world.start(node);
    if (this.#operator !== null) world.start(this.#operator);
    this.#own.start();
    if (options.plan != null) {
      injector.schedule(options.plan, 0);
    } else {
      injector.schedule({ faults: scenario.faults }, from);
      if (this.nemesis !== null) {
        injector.schedule(this.nemesis.plan, from);
        this.nemesis.reactive?.attach(world, this.roles, injector, {
          start: from,
          end: from + this.#duration,
        });
      }
    }
    const until = from + this.#duration;
    if (options.stopAt === undefined) world.runUntil(until);
    else world.runUntilCondition(() => this.#stopped, until);
    this.#phase("chaos", from);
  }

  #heal(): void {
    const from = this.world.now;
    this.nemesis?.reactive?.detach();
    this.injector.healAll();
    for (const node of this.world.nodes) {
      const used = node !== this.#finalReader && node !== this.#admin.node;
      if (used && !node.running) this.world.start(node);
    }
    this.#control.stopped = true;
    this.#phase("heal", from);
  }

  #converge(): void {
    const from = this.world.now;
    const limit = from + (parseDuration(this.scenario.converge) as Micros);
    const done = () => this.#stopped || this.liveness.pending() === null;
    this.world.runUntilCondition(this.#every(100, done), limit);
    const more = done() ? 0 : this.liveness.blockedFor;
    if (more > 0) this.world.runUntilCondition(this.#every(100, done), limit + more);
    this.#phase("converge", from);
    const pending = this.liveness.pending();
    if (pending === null || this.#stopped) return;
    const { reason, ...where } = pending;
    this.#report({
      check: "Convergence",
      at: this.world.now,
      says: "When all faults have ended, the cluster converges",
      saw: `${reason}, ${this.scenario.converge} after everything was healed`,
      ...where,
    });
  }

  #finalReads(): void {
    const { world } = this;
    const from = world.now;
    this.#finalPartitions.push(...this.liveness.partitions());
    if (this.#finalPartitions.length > 0) world.start(this.#finalReader);
    const complete = () => {
      if (this.#stopped) return true;
      for (const { topic, partition } of this.#finalPartitions) {
        const name = `${topic}-${partition}`;
        const end = this.liveness.readableEnd(name);
        if ((this.#finalProgress.get(name) ?? 0) < end) return false;
      }
      return true;
    };
    world.runUntilCondition(this.#every(20, complete), from + FINAL_READ_LIMIT);
    this.#finalControl.stopped = true;
    this.#phase("final reads", from);
  }

  /** Tests an expensive condition once in so many events. */
  #every(count: number, condition: () => boolean): () => boolean {
    let calls = 0;
    return () => calls++ % count === 0 && condition();
  }

  #report(finding: Finding): void {
    const seen = this.#counts.get(finding.check) ?? 0;
    this.#counts.set(finding.check, seen + 1);
    const classified = this.#guarantee?.classify(finding) ?? null;
    const list = classified === null ? this.#violations : this.#outside;
    if (this.options.stopAt?.(finding, classified?.outside.clause ?? null)) this.#stopped = true;
    let listed = 0;
    for (const { check } of list) if (check === finding.check) listed++;
    if (listed >= LISTED_PER_CHECK) return;
    if (classified === null) this.#violations.push(finding);
    else this.#outside.push({ ...finding, ...classified.outside });
  }

  #judge(): void {
    try {
      this.#invariants?.finish(this.world.now);
      this.#own.finish();
      const history = historyFindings(this.#history(), this.facts, this.phases);
      for (const finding of history.findings) this.#report(finding);
      this.#why ??= history.unknown;
    } catch (error) {
      // A checker that crashes proves nothing: never `held`.
      this.#why = `a checker crashed: ${error instanceof Error ? error.stack : String(error)}`;
    }
    if (this.scenario.producers.length > 0 && this.recorder.acknowledged === 0) {
      this.#why ??= "nothing happened: no send was acknowledged";
    }
  }

  /** The history as it is judged: a topic that was created again is another [CTL-76]. */
  #history(): HistoryTable {
    const { ops } = this.recorder;
    this.#attributed ??= this.#lives === null ? ops : this.#lives.attribute(ops);
    return this.#attributed;
  }

  #result(): TrialResult {
    const { world, recorder, scenario, options } = this;
    const history = () => this.#history();
    let verdict: Verdict = "held";
    if (this.#violations.length > 0) verdict = "violated";
    else if (this.#why !== null) verdict = "unknown";
    const findings: { [check: string]: number } = {};
    for (const [check, count] of this.#counts) findings[check] = count;
    return {
      scenario,
      seed: options.seed,
      variant: options.variant ?? null,
      drawn: options.scenario.drawn,
      verdict,
      why: verdict === "unknown" ? this.#why : null,
      violations: this.#violations,
      outside: bySignificance(this.#outside),
      findings,
      fingerprint: world.fingerprint.toString(),
      events: world.events,
      virtualMicros: world.now,
      goals: (this.goals?.reached() ?? []).map(({ name }) => name),
      plan: this.injector.recorded(),
      phases: this.phases,
      counts: recorder.counts(),
      get history() {
        return history().list();
      },
    };
  }
}
