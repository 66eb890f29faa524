/**
 * A Kafka broker: puts its parts together, starts them in order, survives ZooKeeper sessions, and
 * stops in good order [MOD-1], [ZK-6], [ZK-7], [CTL-95..97].
 */
import {
  Completion,
  type Flow,
  MILLISECOND,
  type Process,
  type ProcessContext,
  type ProcessFactory,
} from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import type { BrokerConfig } from "../config.ts";
import type { Addresses, IsrChanger } from "../contracts.ts";
import { Controller } from "../controller/controller.ts";
import { LogManager } from "../log/log-manager.ts";
import { BrokerConnection } from "../network/broker-channel.ts";
import type { KafkaObservation } from "../observations.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { KAFKA_SERVICE } from "../protocol/service.ts";
import { ReplicaManager } from "../replica/replica-manager.ts";
import { ZOOKEEPER_RETRY_DELAY, ZooKeeperAccess } from "../zookeeper/access.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { CLUSTER_ID, LOG_DIR_EVENT_PREFIX, LOG_DIR_EVENTS } from "../zookeeper/paths.ts";
import { ClusterStore, createPersistent, expectCode } from "../zookeeper/store.ts";
import { decodeClusterId, encodeClusterId, encodeLogDirEvent } from "../zookeeper/znodes.ts";
import { AdminApis } from "./admin-apis.ts";
import { AlterPartitionManager } from "./alter-partition-manager.ts";
import { ClientConnection } from "./client-connection.ts";
import { ControllerChannel } from "./controller-channel.ts";
import { DirectIsrWriter } from "./direct-isr-writer.ts";
import { KafkaApis } from "./kafka-apis.ts";
import { MetadataCache } from "./metadata-cache.ts";
import { MetadataWaiters } from "./metadata-waiters.ts";
import { ProducerIds } from "./producer-ids.ts";
import { Registration } from "./registration.ts";
import { ConfigChangeListener, KnownTopicConfigs } from "./topic-configs.ts";
import { TopicCreator } from "./topic-creation.ts";

export interface BrokerOptions {
  readonly id: number;
  readonly rack: string | null;
  readonly config: BrokerConfig;
  /** Node ids of the ensemble. */
  readonly zookeeperServers: readonly number[];
  readonly addresses: Addresses;
  readonly switches: Switches;
}

/** What runs on a broker's node. */
export function kafkaBroker(options: BrokerOptions): ProcessFactory {
  return (context) => new Broker(context, options);
}

class Broker implements Process {
  readonly #context: ProcessContext;
  readonly #options: BrokerOptions;
  readonly #access: ZooKeeperAccess;
  readonly #store: ClusterStore;
  readonly #registration: Registration;
  readonly #metadata = new MetadataCache();
  readonly #configChanges: ConfigChangeListener;
  readonly #controllerChannel: ControllerChannel;
  readonly #controller: Controller;
  readonly #logs: LogManager;
  readonly #dataPlane: ReplicaManager;
  readonly #apis: KafkaApis;
  /** As ZooKeeper has it; empty before the start got so far. */
  #clusterId = "";
  #stopping = false;
  /** True when no request is processed any more. */
  #stopped = false;

  constructor(context: ProcessContext, options: BrokerOptions) {
    this.#context = context;
    this.#options = options;
    const { id, config, switches } = options;
    const topicConfigs = new KnownTopicConfigs(config);
    const logs = LogManager.open(context, id, config, topicConfigs, switches);
    this.#logs = logs;
    this.#observe({ kind: "BrokerStarting", broker: id, clean: logs.clean });
    this.#access = new ZooKeeperAccess({
      context,
      servers: options.zookeeperServers,
      sessionTimeoutMs: config["zookeeper.session.timeout.ms"],
      maxInFlight: config["zookeeper.max.in.flight.requests"],
      listener: {
        beforeNewSession: () => this.#sessionExpired(),
        afterNewSession: () => this.#sessionRenewed(),
      },
    });
    this.#store = new ClusterStore(this.#access, switches);
    this.#registration = new Registration(context, this.#store, id, options.rack, switches);
    const brokerEpoch = () => this.#registration.brokerEpoch;
    const channelTo = (broker: number) =>
      new BrokerConnection(context, options.addresses, broker, `broker-${id}`);
    const timeoutMs = config["controller.socket.timeout.ms"];
    this.#controllerChannel = new ControllerChannel(context, this.#metadata, channelTo, timeoutMs);
    this.#controller = new Controller({
      context,
      brokerId: id,
      config,
      switches,
      store: this.#store,
      channelTo,
      registerAgain: () => this.#registerAgain(),
    });
    this.#configChanges = new ConfigChangeListener(context, this.#store, topicConfigs, (topic) => {
      const applied = topicConfigs.get(topic);
      const uncleanLeaderElection = applied["unclean.leader.election.enable"];
      this.#observe({
        kind: "TopicConfigApplied",
        broker: id,
        topic,
        minInsyncReplicas: applied["min.insync.replicas"],
        uncleanLeaderElection,
      });
      if (uncleanLeaderElection) this.#controller.uncleanElectionEnabled(topic);
    });
    const isrChanger: IsrChanger = config["feature.alterPartition"]
      ? new AlterPartitionManager(context, id, brokerEpoch, this.#controllerChannel)
      : new DirectIsrWriter(context, this.#store, id, () => this.#apis.controllerEpoch, switches);
    this.#dataPlane = new ReplicaManager({
      context,
      brokerId: id,
      config,
      logs,
      metadata: this.#metadata,
      topicConfigs,
      isrChanger,
      channelTo,
      brokerEpoch,
      switches,
    });
    const waiters = new MetadataWaiters(context);
    const store = this.#store;
    const topicCreator = new TopicCreator({
      context,
      store,
      config,
      metadata: this.#metadata,
      waiters,
      isQueuedForDeletion: (topic) => this.#controller.isQueuedForDeletion(topic),
    });
    this.#apis = new KafkaApis({
      context,
      config,
      switches,
      dataPlane: this.#dataPlane,
      metadata: this.#metadata,
      topicConfigs,
      configChanges: this.#configChanges,
      controller: this.#controller,
      controllerChannel: this.#controllerChannel,
      producerIds: new ProducerIds(context, id, brokerEpoch, this.#controllerChannel),
      topicCreator,
      waiters,
      admin: new AdminApis({
        context,
        brokerId: id,
        config,
        store,
        metadata: this.#metadata,
        waiters,
        controller: this.#controller,
        topicCreator,
        clusterId: () => this.#clusterId,
      }),
      brokerEpoch,
    });
    const dataPlaneFailed = logs.onDirectoryFailed;
    logs.onDirectoryFailed = (home) => {
      dataPlaneFailed(home);
      if (!logs.offline) context.spawn("log directory event", this.#reportLogDir());
    };
    context.spawn("broker start", this.#start());
  }

  #observe(fact: KafkaObservation): void {
    this.#context.observe(fact);
  }

  // --- start ------------------------------------------------------------------------------------

  /**
   * Logs are loaded by now; registration, then requests [REP-103]. Repeated until it succeeds, as a
   * supervisor would restart the process.
   */
  *#start(): Flow<void> {
    while (!this.#stopping) {
      try {
        yield* this.#store.createPersistentPaths();
        if (!(yield* this.#sameCluster())) {
          this.#context.exit();
          return;
        }
        yield* this.#configChanges.start();
        // False while a registration of a former life waits for its session to end [ZK-11].
        if (yield* this.#registration.register()) break;
      } catch (error) {
        if (!(error instanceof ZooKeeperFailure)) throw error;
      }
      yield* this.#context.sleep(ZOOKEEPER_RETRY_DELAY);
    }
    if (this.#stopping) return;
    this.#context.listen(KAFKA_SERVICE, (connection) => {
      return new ClientConnection(connection, (frame, from) => {
        if (!this.#stopped) this.#apis.handle(frame, from);
      });
    });
    this.#controller.start();
  }

  /** Compares ZooKeeper's cluster id with the one this disk belongs to [ZK-7]. */
  *#sameCluster(): Flow<boolean> {
    const proposed = `cluster-${this.#context.random.bits() >>> 0}`;
    const created = yield* this.#access.request(
      createPersistent(CLUSTER_ID, encodeClusterId(proposed)),
    );
    expectCode(created.code, "cluster id", ZkCode.NODEEXISTS);
    const node = yield* this.#store.read(CLUSTER_ID);
    if (node === null) throw new ZooKeeperFailure(ZkCode.NONODE, "cluster id");
    const clusterId = decodeClusterId(node.data);
    this.#clusterId = clusterId;
    const properties = this.#context.disk.cell<{ readonly clusterId: string }>("meta.properties");
    const known = properties.read();
    if (known === null) this.#logs.write(() => properties.write({ clusterId }));
    return known === null || known.clusterId === clusterId;
  }

  /** [ZK-41] */
  *#reportLogDir(): Flow<void> {
    yield* this.#access.request({
      op: "create",
      path: `${LOG_DIR_EVENTS}/${LOG_DIR_EVENT_PREFIX}`,
      data: encodeLogDirEvent(this.#options.id),
      mode: "persistentSequential",
    });
  }

  // --- sessions ---------------------------------------------------------------------------------

  *#sessionExpired(): Flow<void> {
    this.#observe({ kind: "BrokerSessionExpired", broker: this.#options.id });
    yield* this.#controller.expire();
  }

  #sessionRenewed(): void {
    this.#controller.sessionRenewed();
    this.#configChanges.refresh();
  }

  /** As an event of the controller's queue. A registration of somebody else ends the attempt. */
  *#registerAgain(): Flow<void> {
    if (!(yield* this.#registration.register())) {
      this.#observe({ kind: "BrokerNotRegistered", broker: this.#options.id });
      throw new ZooKeeperFailure(ZkCode.NODEEXISTS, "register again");
    }
  }

  // --- stop -------------------------------------------------------------------------------------

  /** SIGTERM: controlled shutdown, then a clean stop of logs and session [CTL-97]. */
  shutdown(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#dataPlane.prepareShutdown();
    this.#context.spawn("broker stop", this.#stop());
  }

  *#stop(): Flow<void> {
    const { config } = this.#options;
    if (config["controlled.shutdown.enable"] && this.#registration.brokerEpoch !== -1) {
      yield* this.#controlledShutdown();
    }
    this.#stopped = true;
    const flushed = new Completion<void>();
    this.#dataPlane.shutdown(() => flushed.resolve());
    yield* flushed.wait();
    // Without ZooKeeper the session is left to expire.
    const patience = config["zookeeper.session.timeout.ms"] * MILLISECOND;
    this.#context.after(patience, () => this.#exit());
    yield* this.#controller.stop();
    yield* this.#access.close();
    this.#exit();
  }

  #exit(): void {
    this.#observe({ kind: "BrokerStopped", broker: this.#options.id });
    this.#context.exit();
  }

  /** Until nothing is led any more, or the attempts are used up [CTL-95]. */
  *#controlledShutdown(): Flow<void> {
    const { config, id } = this.#options;
    let attempts = config["controlled.shutdown.max.retries"];
    for (;;) {
      const answered = new Completion<boolean>();
      const request = { brokerId: id, brokerEpoch: this.#registration.brokerEpoch };
      this.#controllerChannel.send("ControlledShutdown", request, (response) => {
        const { errorCode, remainingPartitions } = response ?? FAILED_SHUTDOWN;
        answered.resolve(errorCode === ErrorCode.NONE && remainingPartitions.length === 0);
      });
      if (yield* answered.wait()) return;
      attempts--;
      if (attempts <= 0) return;
      yield* this.#context.sleep(config["controlled.shutdown.retry.backoff.ms"] * MILLISECOND);
    }
  }
}

const FAILED_SHUTDOWN = { errorCode: ErrorCode.NETWORK_EXCEPTION, remainingPartitions: [] };
