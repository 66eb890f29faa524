/**
 * The controller of one broker: elections, failover, resignation, and the events between [§2].
 *
 * Every broker has one; at most one in the cluster is active, as far as ZooKeeper knows. What the
 * events do stands beside this file.
 */
import {
  Completion,
  type Flow,
  type ProcessContext,
  SECOND,
  seconds,
  type Timer,
} from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { BrokerChannel } from "../contracts.ts";
import type { KafkaObservation } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { RequestBody, ResponseBody } from "../protocol/messages.ts";
import { AdminStore } from "../zookeeper/admin-store.ts";
import { ControllerMoved, ZooKeeperFailure } from "../zookeeper/failures.ts";
import * as paths from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import type { TopicPartition } from "../zookeeper/znodes.ts";
import { BrokerChanges } from "./broker-changes.ts";
import { ControllerChannelManager } from "./channel-manager.ts";
import { ControllerContext } from "./context.ts";
import { runForController } from "./election.ts";
import { ControllerEventQueue } from "./event-queue.ts";
import { CHILD_WATCHES, type ControllerEvents, NODE_WATCHES, takeOver } from "./failover.ts";
import { IsrChanges } from "./isr-changes.ts";
import { balanceLeaders, shutDownBroker } from "./leader-balance.ts";
import { PartitionStateMachine } from "./partition-state-machine.ts";
import type { ControllerParts } from "./parts.ts";
import { allocateProducerIds } from "./producer-id-allocation.ts";
import { Reassignments } from "./reassignments.ts";
import { type ElectionOutcome, electReplicas } from "./replica-elections.ts";
import { ReplicaStateMachine } from "./replica-state-machine.ts";
import { RequestBatch } from "./request-batch.ts";
import type { ControllerRuntime } from "./runtime.ts";
import { TopicChanges } from "./topic-changes.ts";
import { TopicDeletion } from "./topic-deletion.ts";

/** First automatic check for preferred leaders after a failover [CTL-10.12]. */
const FIRST_BALANCE_DELAY = 5 * SECOND;

export interface ControllerOptions {
  readonly context: ProcessContext;
  readonly brokerId: number;
  readonly config: BrokerConfig;
  readonly switches: Switches;
  readonly store: ClusterStore;
  readonly channelTo: (broker: number) => BrokerChannel;
  /** Registers the broker anew after its session expired [ZK-6.3]. */
  readonly registerAgain: () => Flow<void>;
}

export class Controller {
  readonly #process: ProcessContext;
  readonly #brokerId: number;
  readonly #options: ControllerOptions;
  readonly #store: ClusterStore;
  readonly #events = new ControllerEventQueue();
  readonly #runtime: ControllerRuntime;
  readonly #parts: ControllerEvents;
  readonly #balance: Timer;
  /** Broker id of the active controller as this broker knows it; -1 if none. */
  #activeId = -1;
  #started = false;

  constructor(options: ControllerOptions) {
    const { context: process, brokerId, config, store, switches } = options;
    this.#process = process;
    this.#brokerId = brokerId;
    this.#options = options;
    this.#store = store;
    const context = new ControllerContext();
    const channels = new ControllerChannelManager(process, config, options.channelTo, switches);
    const batch = new RequestBatch(
      brokerId,
      context,
      channels,
      (broker, response) => this.#parts.brokers.leaderAndIsrAnswered(broker, response),
      (broker, response, records) =>
        this.#parts.deletion.stopReplicaAnswered(broker, response, records),
    );
    const adminStore = new AdminStore(store);
    const observe = (fact: KafkaObservation) => process.observe(fact);
    const shared = { brokerId, config, switches, context, store, adminStore, batch, observe };
    const parts: ControllerParts = shared;
    this.#runtime = {
      ...parts,
      process,
      channels,
      partitions: new PartitionStateMachine(parts),
      replicas: new ReplicaStateMachine(parts),
      enqueue: (name, run) => this.#enqueue(name, run),
    };
    const runtime = this.#runtime;
    const deletion = new TopicDeletion(runtime);
    const reassignments = new Reassignments(runtime, deletion);
    const brokers = new BrokerChanges(runtime, deletion, reassignments);
    const topics = new TopicChanges(runtime);
    const isr = new IsrChanges(runtime, brokers, reassignments);
    this.#parts = { brokers, topics, isr, deletion, reassignments };
    this.#balance = process.timer(() => this.#enqueueBalance());
  }

  get isActive(): boolean {
    return this.#activeId === this.#brokerId;
  }

  // --- life of the broker -----------------------------------------------------------------------

  /** Startup: watches `/controller` and runs for it. */
  start(): void {
    this.#started = true;
    this.#process.spawn("controller", this.#events.process());
    this.#store.access.registerNodeHandler(paths.CONTROLLER, {
      onCreated: () => this.#always("ControllerChange", () => this.#maybeResign()),
      onDataChanged: () => this.#always("ControllerChange", () => this.#maybeResign()),
      onDeleted: () => this.#always("Reelect", () => this.#reelect()),
    });
    this.#always("Startup", () => this.#startup());
  }

  /** The session expired: gives up the role before anything else can run. Ends when that began. */
  *expire(): Flow<void> {
    if (!this.#started) return;
    if (this.#options.switches["unfenced-controller"]) {
      // KAFKA-6082: what is queued still runs, on the new session, before the role is given up.
      this.#events.put({ name: "Expire", run: () => void this.#activate(-1) });
      return;
    }
    const began = new Completion<void>();
    this.#events.clearAndPut({
      name: "Expire",
      run: () => {
        began.resolve();
        return void this.#activate(-1);
      },
    });
    yield* began.wait();
  }

  /** A new session was opened. */
  sessionRenewed(): void {
    if (!this.#started) return;
    const register = this.#options.registerAgain;
    this.#always("RegisterBrokerAndReelect", () => this.#registerAndReelect(register));
  }

  /** Orderly stop: resigns, and no event runs any more. */
  *stop(): Flow<void> {
    if (!this.#started) return;
    const done = new Completion<void>();
    const self = this;
    this.#events.clearAndPut({
      name: "ShutdownEventThread",
      *run() {
        self.#activate(-1);
        done.resolve();
        yield* new Completion<void>().wait();
      },
    });
    yield* done.wait();
  }

  // --- requests that only the active controller serves ------------------------------------------

  alterPartition(
    request: RequestBody["AlterPartition"],
    respond: (response: ResponseBody["AlterPartition"]) => void,
  ): void {
    const refused = { errorCode: ErrorCode.NOT_CONTROLLER, topics: [] };
    this.#serve("AlterPartitionReceived", refused, respond, () => this.#parts.isr.alter(request));
  }

  controlledShutdown(
    request: RequestBody["ControlledShutdown"],
    respond: (response: ResponseBody["ControlledShutdown"]) => void,
  ): void {
    const refused = { errorCode: ErrorCode.NOT_CONTROLLER, remainingPartitions: [] };
    const serve = () => shutDownBroker(this.#runtime, request);
    this.#serve("ControlledShutdown", refused, respond, serve);
  }

  allocateProducerIds(
    request: RequestBody["AllocateProducerIds"],
    respond: (response: ResponseBody["AllocateProducerIds"]) => void,
  ): void {
    const refused = { errorCode: ErrorCode.NOT_CONTROLLER, producerIdStart: -1, producerIdLen: 0 };
    this.#serve("AllocateProducerIds", refused, respond, () =>
      allocateProducerIds(this.#runtime, request),
    );
  }

  alterReassignments(
    request: RequestBody["AlterPartitionReassignments"],
    respond: (response: ResponseBody["AlterPartitionReassignments"]) => void,
  ): void {
    const refused = { errorCode: ErrorCode.NOT_CONTROLLER, responses: [] };
    const serve = () => this.#parts.reassignments.alter(request);
    this.#serve("ApiPartitionReassignment", refused, respond, serve);
  }

  listReassignments(
    request: RequestBody["ListPartitionReassignments"],
    respond: (response: ResponseBody["ListPartitionReassignments"]) => void,
  ): void {
    const refused = { errorCode: ErrorCode.NOT_CONTROLLER, topics: [] };
    this.#events.put({
      name: "ListPartitionReassignments",
      preempt: () => respond(refused),
      run: () => {
        respond(this.isActive ? this.#parts.reassignments.list(request) : refused);
        return undefined;
      },
    });
  }

  /** null as outcomes: not the active controller. */
  electLeaders(
    asked: readonly TopicPartition[] | null,
    electionType: number,
    answered: (outcomes: readonly ElectionOutcome[] | null) => void,
  ): void {
    type Answer = { readonly errorCode: number; readonly outcomes: ElectionOutcome[] | null };
    const refused: Answer = { errorCode: ErrorCode.NOT_CONTROLLER, outcomes: null };
    const runtime = this.#runtime;
    const respond = ({ outcomes }: Answer) => answered(outcomes);
    this.#serve("ReplicaLeaderElection", refused, respond, function* () {
      const outcomes = yield* electReplicas(runtime, asked, electionType);
      return { errorCode: ErrorCode.NONE, outcomes };
    });
  }

  /** Of the active controller; false elsewhere. */
  isQueuedForDeletion(topic: string): boolean {
    return this.#runtime.context.isQueuedForDeletion(topic);
  }

  /** TopicUncleanLeaderElectionEnable [CTL-42]. */
  uncleanElectionEnabled(topic: string): void {
    if (!this.isActive) return;
    const self = this;
    this.#enqueue("TopicUncleanLeaderElectionEnable", function* () {
      yield* self.#runtime.partitions.electForLeaderless(topic);
    });
  }

  // --- the queue --------------------------------------------------------------------------------

  /** Queues an event of the active controller. */
  #enqueue(name: string, run: () => Flow<void>): void {
    const self = this;
    this.#always(name, function* () {
      if (self.isActive) yield* run();
    });
  }

  /** Queues an event that runs whether active or not, guarded as [CTL-23] says. */
  #always(name: string, run: () => Flow<void>): void {
    this.#events.put({ name, run: () => this.#guarded(run) });
  }

  *#guarded(run: () => Flow<void>): Flow<void> {
    try {
      yield* run();
    } catch (error) {
      if (error instanceof ControllerMoved) yield* this.#guarded(() => this.#maybeResign());
      else if (!(error instanceof ZooKeeperFailure)) throw error;
    }
  }

  /** A request: answered with `refused` when not active, or when the event is cut short. */
  #serve<R extends { readonly errorCode: number }>(
    name: string,
    refused: R,
    respond: (response: R) => void,
    run: () => Flow<R>,
  ): void {
    const self = this;
    this.#events.put({
      name,
      preempt: () => respond(refused),
      *run() {
        let response = refused;
        yield* self.#guarded(function* () {
          if (self.isActive) response = yield* run();
        });
        respond(response);
      },
    });
  }

  // --- election ---------------------------------------------------------------------------------

  /** [CTL-4] */
  *#maybeResign(): Flow<void> {
    yield* this.#store.access.request({ op: "exists", path: paths.CONTROLLER });
    this.#activate((yield* this.#store.controllerId()) ?? -1);
  }

  *#startup(): Flow<void> {
    // Arms the watch whether the node exists or not.
    yield* this.#store.access.request({ op: "exists", path: paths.CONTROLLER });
    yield* this.#elect();
  }

  *#reelect(): Flow<void> {
    yield* this.#maybeResign();
    yield* this.#elect();
  }

  *#registerAndReelect(register: () => Flow<void>): Flow<void> {
    yield* register();
    yield* this.#reelect();
  }

  /** Takes note of who is controller; gives up the role if it was this broker. */
  #activate(id: number): void {
    const wasActive = this.isActive;
    this.#activeId = id;
    if (wasActive && !this.isActive) this.#resign();
  }

  /** [CTL-3] */
  *#elect(): Flow<void> {
    const present = yield* this.#store.controllerId();
    if (present !== null) {
      this.#activeId = present;
      return;
    }
    try {
      const { epoch, epochVersion } = yield* runForController(
        this.#store,
        this.#brokerId,
        this.#process.wallMillis(),
        this.#options.switches,
      );
      const { context } = this.#runtime;
      context.epoch = epoch;
      context.epochVersion = epochVersion;
      this.#activeId = this.#brokerId;
      this.#observe("ControllerElected");
      yield* takeOver(this.#runtime, this.#parts);
      this.#observe("ControllerTookOver");
      if (this.#options.config["auto.leader.rebalance.enable"]) {
        this.#balance.set(FIRST_BALANCE_DELAY);
      }
    } catch (error) {
      if (error instanceof ControllerMoved) yield* this.#maybeResign();
      else if (error instanceof ZooKeeperFailure) yield* this.#triggerMove();
      else throw error;
    }
  }

  /** Trouble during the failover: resigns and lets others run [CTL-3.6]. */
  *#triggerMove(): Flow<void> {
    this.#activeId = (yield* this.#store.controllerId()) ?? -1;
    if (!this.isActive) return;
    const { epochVersion } = this.#runtime.context;
    this.#activate(-1);
    yield* this.#store.deleteController(epochVersion);
  }

  /** Nothing is written [CTL-6]. */
  #resign(): void {
    const { access } = this.#store;
    const { context, channels, batch } = this.#runtime;
    for (const path of CHILD_WATCHES) access.unregisterChildHandler(path);
    for (const path of NODE_WATCHES) access.unregisterNodeHandler(path);
    this.#parts.brokers.unwatch();
    this.#parts.topics.unwatch();
    this.#parts.reassignments.unwatchAll();
    this.#balance.cancel();
    batch.clear();
    channels.closeAll();
    context.clear();
    this.#observe("ControllerResigned");
  }

  #observe(kind: "ControllerElected" | "ControllerTookOver" | "ControllerResigned"): void {
    const { epoch: controllerEpoch } = this.#runtime.context;
    const fact: KafkaObservation = { kind, broker: this.#brokerId, controllerEpoch };
    this.#process.observe(fact);
  }

  // --- timer ------------------------------------------------------------------------------------

  #enqueueBalance(): void {
    this.#enqueue("AutoPreferredReplicaLeaderElection", () => balanceLeaders(this.#runtime));
    this.#balance.set(seconds(this.#options.config["leader.imbalance.check.interval.seconds"]));
  }
}
