/**
 * The reactive nemesis: watches observations and strikes at dangerous moments.
 *
 * What a moment means is in the sentence of its trigger. Each trigger has a probability, a stability
 * (least time between two of its strikes) and a budget. A listener never changes the world: a strike
 * is scheduled with the injector for a microsecond later at the earliest, on a node by name, and is
 * so part of the recorded plan; a replay needs no nemesis.
 */
import type { KafkaObservation } from "../model/kafka/observations.ts";
import { brokerName, type Roles } from "../model/roles.ts";
import type { ZooKeeperObservation } from "../model/zookeeper/observations.ts";
import {
  formatDuration,
  MILLISECOND,
  type Micros,
  type RandomStream,
  SECOND,
  type World,
} from "../sim/index.ts";
import type { FaultInjector } from "./injector.ts";
import type { FaultKind } from "./plan.ts";
import { drawFault, type Span, type StrikeContext } from "./strikes.ts";

export type TriggerName =
  | "isr-of-one"
  | "isr-shrinks"
  | "isr-grows"
  | "unreplicated-append"
  | "new-leader"
  | "truncation"
  | "new-controller"
  | "no-controller"
  | "zk-leader-serving"
  | "zk-epoch"
  | "zk-proposal"
  | "zk-commit"
  | "session-expiring"
  | "broker-starts";

interface TriggerEntry {
  readonly says: string;
  /** Kinds it may strike with. */
  readonly kinds: readonly FaultKind[];
  /** Longest time from the moment to the strike. */
  readonly within: Micros;
  readonly spans: readonly Span[];
}

const CRASHES: readonly FaultKind[] = ["kill", "power-off", "pause", "fast-restart", "partition"];
const DOWN: readonly Span[] = ["blink", "short", "around"];

const TRIGGERS: { readonly [K in TriggerName]: TriggerEntry } = {
  "isr-of-one": {
    says: "an ISR shrank to one: strike this last member [C-9]",
    kinds: [...CRASHES, "lying-fsync"],
    within: 200 * MILLISECOND,
    spans: DOWN,
  },
  "isr-shrinks": {
    says: "a leader asks for a smaller ISR: strike it, or the controller that decides on it",
    kinds: [...CRASHES, "reset", "clog"],
    within: 20 * MILLISECOND,
    spans: DOWN,
  },
  "isr-grows": {
    says: "a follower joins the ISR: strike the leader, the controller, or the one that joins [C-33]",
    kinds: [...CRASHES, "reset"],
    within: 20 * MILLISECOND,
    spans: DOWN,
  },
  "unreplicated-append": {
    says: "a leader appended what no follower has, unsynced: strike it [C-4]",
    kinds: [...CRASHES, "session-expiry", "clog"],
    within: 2 * MILLISECOND,
    spans: ["blink", "short", "around", "around"],
  },
  "new-leader": {
    says: "a replica became leader and its high watermark may lag: strike it [C-16]",
    kinds: [...CRASHES, "session-expiry"],
    within: 50 * MILLISECOND,
    spans: DOWN,
  },
  truncation: {
    says: "a follower truncated: strike it before it has fetched again [C-16]",
    kinds: CRASHES,
    within: 5 * MILLISECOND,
    spans: DOWN,
  },
  "new-controller": {
    says: "a controller was elected and is still failing over: strike it",
    kinds: [...CRASHES, "session-expiry"],
    within: 200 * MILLISECOND,
    spans: DOWN,
  },
  "no-controller": {
    says: "the controller died: a broker restarts while nobody notices [C-1 (d)]",
    kinds: ["kill", "power-off", "fast-restart"],
    within: 500 * MILLISECOND,
    spans: ["blink", "short", "around"],
  },
  "zk-leader-serving": {
    says: "a ZooKeeper leader begins to serve: strike it",
    kinds: ["kill", "power-off", "pause", "partition"],
    within: 100 * MILLISECOND,
    spans: ["blink", "short"],
  },
  "zk-epoch": {
    says: "a ZooKeeper leader hands on its history: strike the ensemble [ZAB-22]",
    kinds: ["kill", "power-off"],
    within: 5 * MILLISECOND,
    spans: ["blink", "short"],
  },
  "zk-proposal": {
    says: "a ZooKeeper leader logged what no follower has yet: strike it [ZAB-31]",
    kinds: ["kill", "power-off", "pause", "partition"],
    within: 2 * MILLISECOND,
    spans: ["blink", "short", "around"],
  },
  "zk-commit": {
    says: "a transaction was committed: strike the ensemble before it is old [ZAB-31]",
    kinds: ["kill", "power-off"],
    within: 2 * MILLISECOND,
    spans: ["blink", "short"],
  },
  "session-expiring": {
    says: "ZooKeeper ends a session: strike those who are going to act on it [SES-3]",
    kinds: ["pause", "partition", "clog", "latency", "kill"],
    within: 5 * MILLISECOND,
    spans: ["short", "around", "long"],
  },
  "broker-starts": {
    says: "a broker starts and is about to register: strike it [ZK-10]",
    kinds: ["kill", "fast-restart", "pause", "partition", "clog", "latency"],
    within: 100 * MILLISECOND,
    spans: DOWN,
  },
};

/** Moments by the thousand: only few of them are looked at. */
const FREQUENT: ReadonlySet<TriggerName> = new Set([
  "unreplicated-append",
  "zk-proposal",
  "zk-commit",
]);

const TRIGGER_NAMES = Object.keys(TRIGGERS) as TriggerName[];

/** What was drawn for one trigger. */
export interface TriggerSetting {
  readonly name: TriggerName;
  readonly enabled: boolean;
  /** In words, for printing. */
  readonly says: string;
  /** The kinds it strikes with in this trial. */
  readonly kinds: readonly FaultKind[];
  /** Of a thousand moments, so many are used. */
  readonly perMille: number;
  readonly stability: Micros;
  readonly budget: number;
}

/** Draws which triggers are on and how they behave; `tenths` stretches as the plan's gaps are. */
export function drawTriggers(
  random: RandomStream,
  enabledKinds: ReadonlySet<FaultKind>,
  tenths: number,
): TriggerSetting[] {
  return TRIGGER_NAMES.map((name) => {
    const kinds = TRIGGERS[name].kinds.filter((kind) => enabledKinds.has(kind));
    const on = random.chance(1, 2) && kinds.length > 0;
    // Appends are moments by the thousand, elections are few.
    const perMille = random.pick(
      name === "unreplicated-append" ? [2, 10] : FREQUENT.has(name) ? [10, 50] : [200, 500],
    );
    const stability = Math.floor((random.between(2, 15) * SECOND * tenths) / 10);
    const budget = random.between(1, 6);
    const why = kinds.length === 0 ? "off: its kinds are off" : "off in this seed";
    const rates = `${perMille / 10}% of the moments, at most ${budget}, \
${formatDuration(stability)} apart`;
    const says = on ? `${TRIGGERS[name].says}: ${rates}` : why;
    return { name, enabled: on, says, kinds, perMille, stability, budget };
  });
}

/** A trigger at work. */
interface Armed {
  readonly setting: TriggerSetting;
  strikes: number;
  /** No strike before. */
  calmUntil: Micros;
  /** Moments to let pass; drawn anew after each, so that a frequent moment costs no draw. */
  skip: number;
}

type KafkaOf<K extends KafkaObservation["kind"]> = Extract<KafkaObservation, { kind: K }>;
type ZkOf<K extends ZooKeeperObservation["kind"]> = Extract<ZooKeeperObservation, { kind: K }>;

export class ReactiveNemesis {
  readonly #settings: readonly TriggerSetting[];
  readonly #strikes: StrikeContext;
  #attached: {
    readonly world: World;
    readonly roles: Roles;
    readonly injector: FaultInjector;
    readonly start: Micros;
    readonly end: Micros;
    readonly context: StrikeContext;
  } | null = null;

  constructor(settings: readonly TriggerSetting[], context: StrikeContext) {
    this.#settings = settings;
    this.#strikes = context;
  }

  /** Begins to watch; strikes fall in [start, end), absolute times. */
  attach(
    world: World,
    roles: Roles,
    injector: FaultInjector,
    window: { readonly start: Micros; readonly end: Micros },
  ): void {
    if (this.#attached !== null) throw new Error("the nemesis is attached already");
    const random = world.random.stream("nemesis/reactive");
    const context = { ...this.#strikes, random };
    this.#attached = { world, roles, injector, ...window, context };
    for (const setting of this.#settings) {
      if (setting.enabled) this.#watch(world, setting, random);
    }
  }

  /** Strikes no more. */
  detach(): void {
    this.#attached = null;
  }

  #watch(world: World, setting: TriggerSetting, random: RandomStream): void {
    const armed: Armed = { setting, strikes: 0, calmUntil: 0, skip: 0 };
    armed.skip = drawSkip(setting.perMille, random);
    const { observers } = world;
    const at = (target: string | null) => this.#moment(armed, target);
    const frequent = (target: () => string) => {
      if (armed.skip-- > 0) return;
      // Looked at again after a few more if it is too early for a strike.
      armed.skip = 20;
      at(target());
    };
    switch (setting.name) {
      case "isr-of-one":
        observers.on<KafkaOf<"IsrCommitted">>("IsrCommitted", ({ isr }) => {
          if (isr.length === 1) at(brokerName(isr[0] as number));
        });
        return;
      case "isr-shrinks":
        observers.on<KafkaOf<"IsrProposed">>("IsrProposed", ({ isr, proposed, broker }) => {
          // Whoever writes it: the controller, or before AlterPartition the leader itself.
          if (proposed.length < isr.length) at(`any(controller, ${brokerName(broker)})`);
        });
        return;
      case "isr-grows":
        observers.on<KafkaOf<"IsrProposed">>("IsrProposed", ({ isr, proposed, broker }) => {
          if (proposed.length <= isr.length) return;
          const joining = proposed.find((id) => !isr.includes(id)) ?? broker;
          at(`any(${brokerName(broker)}, ${brokerName(joining)}, controller)`);
        });
        return;
      case "unreplicated-append":
        observers.on<KafkaOf<"LogAppended">>("LogAppended", ({ asLeader, broker }) => {
          if (asLeader) frequent(() => brokerName(broker));
        });
        return;
      case "new-leader":
        observers.on<KafkaOf<"BecameLeader">>("BecameLeader", ({ broker }) =>
          at(brokerName(broker)),
        );
        return;
      case "truncation":
        observers.on<KafkaOf<"LogTruncated">>("LogTruncated", ({ broker }) =>
          at(brokerName(broker)),
        );
        return;
      case "new-controller":
        observers.on<KafkaOf<"ControllerElected">>("ControllerElected", ({ broker }) =>
          at(brokerName(broker)),
        );
        return;
      case "no-controller":
        for (const kind of ["NodeKilled", "NodePoweredOff"]) {
          observers.on(kind, (_, node) => {
            if (this.#attached?.roles.controller()?.id === node) at("any(brokers)");
          });
        }
        return;
      case "zk-epoch":
        observers.on<ZkOf<"ZkEpochEstablished">>("ZkEpochEstablished", (_, node) =>
          at(`any(${world.node(node).name}, any(zookeeper), zookeeper)`),
        );
        return;
      case "zk-proposal":
        observers.on<ZkOf<"ZkLogged">>("ZkLogged", (_, node) => {
          const leads = this.#attached?.roles.zooKeeperLeader()?.id === node;
          if (leads) frequent(() => world.node(node).name);
        });
        return;
      case "zk-commit":
        observers.on<ZkOf<"ZkApplied">>("ZkApplied", () => frequent(() => "zookeeper"));
        return;
      case "broker-starts":
        observers.on<KafkaOf<"BrokerStarting">>("BrokerStarting", ({ broker }) =>
          at(brokerName(broker)),
        );
        return;
      case "session-expiring":
        observers.on<ZkOf<"ZkSessionExpiring">>("ZkSessionExpiring", () => at("any(brokers)"));
        return;
      default:
        observers.on<ZkOf<"ZkLeaderServing">>("ZkLeaderServing", (_, node) =>
          at(world.node(node).name),
        );
    }
  }

  /** A dangerous moment: perhaps a strike at `target` soon. */
  #moment(armed: Armed, target: string | null): void {
    const attached = this.#attached;
    if (attached === null || target === null) return;
    const { setting } = armed;
    const { world, injector, context, start, end } = attached;
    const { now } = world;
    if (now < start || now < armed.calmUntil || armed.strikes >= setting.budget) return;
    const { random } = context;
    if (FREQUENT.has(setting.name)) armed.skip = drawSkip(setting.perMille, random);
    else if (!random.chance(setting.perMille, 1000)) return;
    const { within, spans } = TRIGGERS[setting.name];
    const at = now + 1 + random.below(within);
    if (at >= end) return;
    const span = random.pick(spans);
    const fault = drawFault(random.pick(setting.kinds), at, context, { target, span });
    armed.strikes++;
    armed.calmUntil = at + setting.stability;
    injector.schedule({ faults: [fault] }, 0);
  }
}

/** Moments until the next one that is used: uniform around 1000 / perMille. */
function drawSkip(perMille: number, random: RandomStream): number {
  return random.below(Math.floor(2000 / perMille));
}
