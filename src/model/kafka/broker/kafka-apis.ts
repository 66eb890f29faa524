/**
 * What a broker does with each request that arrives [§2.6, §2.14, App. D].
 *
 * The fences against requests of former controllers and for former lives of this broker stand here
 * [CTL-36.1, CTL-36.2]; those per partition are the data plane's.
 */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { BrokerConfig } from "../config.ts";
import type { DataPlane } from "../contracts.ts";
import type { Controller } from "../controller/controller.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type {
  ControlHeader,
  CreateTopicsRequest,
  DeleteRecordsRequest,
  FetchRequest,
  Frame,
  InitProducerIdRequest,
  LeaderAndIsrRequest,
  ListOffsetsRequest,
  MetadataRequest,
  OffsetForLeaderEpochRequest,
  ProduceRequest,
  RequestBody,
  StopReplicaRequest,
  UpdateMetadataRequest,
} from "../protocol/messages.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import type { AdminApis } from "./admin-apis.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ControllerChannel } from "./controller-channel.ts";
import type { MetadataCache } from "./metadata-cache.ts";
import type { MetadataWaiters } from "./metadata-waiters.ts";
import type { ProducerIds } from "./producer-ids.ts";
import type { ConfigChangeListener, KnownTopicConfigs } from "./topic-configs.ts";
import type { TopicCreator } from "./topic-creation.ts";

/** Time-out of topic creations that a Metadata request triggers. */
const AUTO_CREATE_TIMEOUT_MS = 30_000;

export interface ApiParts {
  readonly context: ProcessContext;
  readonly config: BrokerConfig;
  readonly switches: Switches;
  readonly dataPlane: DataPlane;
  readonly metadata: MetadataCache;
  readonly topicConfigs: KnownTopicConfigs;
  readonly configChanges: ConfigChangeListener;
  readonly controller: Controller;
  readonly controllerChannel: ControllerChannel;
  readonly producerIds: ProducerIds;
  readonly topicCreator: TopicCreator;
  readonly waiters: MetadataWaiters;
  readonly admin: AdminApis;
  readonly brokerEpoch: () => number;
}

export class KafkaApis {
  readonly #parts: ApiParts;
  /** Highest epoch of a controller that sent a control request. */
  #controllerEpoch = -1;
  /** Topics whose automatic creation is under way. */
  readonly #autoCreating = new Set<string>();
  readonly #unknownTopic = (): number => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  get controllerEpoch(): number {
    return this.#controllerEpoch;
  }

  /** Processes one request; ends with exactly one reply on `connection`. */
  handle(frame: Frame, connection: ClientConnection): void {
    const { dataPlane } = this.#parts;
    switch (frame.api) {
      case "Fetch":
        dataPlane.fetch(frame.body as FetchRequest, connection.respondFetch);
        return;
      case "Produce":
        dataPlane.produce(
          frame.body as ProduceRequest,
          connection.respondProduce,
          connection.disconnect,
        );
        return;
      case "ListOffsets":
        connection.reply(dataPlane.listOffsets(frame.body as ListOffsetsRequest));
        return;
      case "DeleteRecords":
        dataPlane.deleteRecords(frame.body as DeleteRecordsRequest, (response) =>
          connection.reply(response),
        );
        return;
      case "OffsetForLeaderEpoch":
        connection.reply(dataPlane.offsetForLeaderEpoch(frame.body as OffsetForLeaderEpochRequest));
        return;
      case "Metadata":
        this.#metadata(frame.body as MetadataRequest, connection);
        return;
      case "UpdateMetadata":
        this.#updateMetadata(frame.body as UpdateMetadataRequest, connection);
        return;
      case "LeaderAndIsr":
        this.#leaderAndIsr(frame.body as LeaderAndIsrRequest, connection);
        return;
      case "StopReplica":
        this.#stopReplica(frame.body as StopReplicaRequest, connection);
        return;
      case "AlterPartition":
      case "ControlledShutdown":
      case "AllocateProducerIds":
        this.#askController(frame, connection);
        return;
      case "InitProducerId":
        this.#initProducerId(frame.body as InitProducerIdRequest, connection);
        return;
      case "CreateTopics":
        this.#createTopics(frame.body as CreateTopicsRequest, connection);
        return;
      default:
        if (this.#parts.admin.handle(frame, connection)) return;
        throw new Error(`no handler for ${frame.api}`);
    }
  }

  /** By itself, because its closures would cost every request an allocation. */
  #askController({ api, body }: Frame, connection: ClientConnection): void {
    const { controller } = this.#parts;
    const reply = (response: RequestAnswer) => connection.reply(response);
    if (api === "AlterPartition") {
      controller.alterPartition(body as RequestBody["AlterPartition"], reply);
    } else if (api === "ControlledShutdown") {
      controller.controlledShutdown(body as RequestBody["ControlledShutdown"], reply);
    } else {
      controller.allocateProducerIds(body as RequestBody["AllocateProducerIds"], reply);
    }
  }

  // --- control requests -------------------------------------------------------------------------

  /**
   * The code that refuses the whole request, or NONE after taking note of the epoch. A deposed controller
   * passes here until its successor has been heard of (gap) [CTL-5].
   */
  #fence(header: ControlHeader): number {
    if (this.#parts.switches["unfenced-leader-and-isr"]) return ErrorCode.NONE;
    const { brokerEpoch, controllerEpoch } = header;
    if (this.#parts.switches["newer-broker-epoch-refused"]) {
      if (brokerEpoch !== this.#parts.brokerEpoch()) return ErrorCode.STALE_BROKER_EPOCH;
    }
    if (brokerEpoch !== -1 && brokerEpoch < this.#parts.brokerEpoch()) {
      return ErrorCode.STALE_BROKER_EPOCH;
    }
    if (controllerEpoch < this.#controllerEpoch) return ErrorCode.STALE_CONTROLLER_EPOCH;
    this.#controllerEpoch = controllerEpoch;
    return ErrorCode.NONE;
  }

  #leaderAndIsr(request: LeaderAndIsrRequest, connection: ClientConnection): void {
    const { topicConfigs, context } = this.#parts;
    const unread = request.topicStates
      .map(({ topicName }) => topicName)
      .filter((topic) => !topicConfigs.known(topic));
    if (unread.length === 0) this.#applyLeaderAndIsr(request, connection);
    else context.spawn("topic configuration", this.#readThenApply(unread, request, connection));
  }

  /** Nothing is checked before the read: other requests are processed while it lasts. */
  *#readThenApply(
    topics: readonly string[],
    request: LeaderAndIsrRequest,
    connection: ClientConnection,
  ): Flow<void> {
    try {
      yield* this.#parts.configChanges.read(topics);
    } catch (error) {
      if (!(error instanceof ZooKeeperFailure)) throw error;
      // The session ended: the controller sends everything anew to the next registration.
      connection.reply({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, topics: [] });
      return;
    }
    this.#applyLeaderAndIsr(request, connection);
  }

  #applyLeaderAndIsr(request: LeaderAndIsrRequest, connection: ClientConnection): void {
    const errorCode = this.#fence(request);
    if (errorCode !== ErrorCode.NONE) connection.reply({ errorCode, topics: [] });
    else connection.reply(this.#parts.dataPlane.becomeLeaderOrFollower(request));
  }

  #stopReplica(request: StopReplicaRequest, connection: ClientConnection): void {
    const errorCode = this.#fence(request);
    if (errorCode !== ErrorCode.NONE) connection.reply({ errorCode, partitionErrors: [] });
    else {
      for (const { topicName, partitionStates } of request.topicStates) {
        const deletes = partitionStates.some(({ deletePartition }) => deletePartition);
        if (deletes) this.#parts.topicConfigs.expire(topicName);
      }
      connection.reply(this.#parts.dataPlane.stopReplicas(request));
    }
  }

  #updateMetadata(request: UpdateMetadataRequest, connection: ClientConnection): void {
    const errorCode = this.#fence(request);
    if (errorCode === ErrorCode.NONE) {
      this.#parts.metadata.update(request);
      this.#parts.dataPlane.metadataUpdated();
      this.#parts.waiters.metadataUpdated();
    }
    connection.reply({ errorCode });
  }

  // --- clients ----------------------------------------------------------------------------------

  #metadata(request: MetadataRequest, connection: ClientConnection): void {
    const { metadata, config } = this.#parts;
    const names = request.topics === null ? null : request.topics.map(({ name }) => name);
    const create = request.allowAutoTopicCreation && config["auto.create.topics.enable"];
    const unknown = create ? (topic: string) => this.#autoCreate(topic) : this.#unknownTopic;
    connection.reply(metadata.describe(names, unknown));
  }

  /** Triggers the creation, here or at the controller; the client asks again meanwhile. */
  #autoCreate(name: string): number {
    const { context, controller, controllerChannel, topicCreator } = this.#parts;
    const active = controller.isActive;
    const answer = active ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (this.#autoCreating.has(name)) return answer;
    this.#autoCreating.add(name);
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
    const timeoutMs = AUTO_CREATE_TIMEOUT_MS;
    const request: CreateTopicsRequest = { topics: [topic], timeoutMs, validateOnly: false };
    const ended = () => this.#autoCreating.delete(name);
    if (active) {
      context.spawn("topic creation", topicCreator.create(request)).done.onSettled(ended);
    } else controllerChannel.send("CreateTopics", request, ended);
    return answer;
  }

  #createTopics(request: CreateTopicsRequest, connection: ClientConnection): void {
    const { context, controller, topicCreator } = this.#parts;
    if (!controller.isActive) {
      connection.reply({
        topics: request.topics.map(({ name }) => ({
          name,
          topicId: "",
          errorCode: ErrorCode.NOT_CONTROLLER,
          errorMessage: null,
        })),
      });
      return;
    }
    context.spawn("topic creation", answerWith(topicCreator.create(request), connection));
  }

  /** Without transactional id: any broker gives a fresh id with epoch 0 [PID-20]. */
  #initProducerId(request: InitProducerIdRequest, connection: ClientConnection): void {
    if (request.transactionalId !== null) {
      const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
      connection.reply({ errorCode, producerId: -1, producerEpoch: -1 });
      return;
    }
    const producerId = this.#parts.producerIds.next();
    connection.reply(
      producerId === null
        ? { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1, producerEpoch: -1 }
        : { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 },
    );
  }
}

function* answerWith(flow: Flow<RequestAnswer>, connection: ClientConnection): Flow<void> {
  connection.reply(yield* flow);
}

type RequestAnswer = Parameters<ClientConnection["reply"]>[0];
