/**
 * Kafka's state in ZooKeeper as typed reads and writes; the fenced writes of the controller [ZK-4].
 *
 * Every flow here throws ZooKeeperFailure on a code that it does not speak of, and fenced writes
 * throw ControllerMoved. Version -1 as epoch version means: not a controller's write, no check.
 */
import type { Flow } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { MultiOp } from "../../zookeeper/client-api.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import type { TopicOverrides } from "../config.ts";
import type { ZkRequest, ZkResponse, ZooKeeperAccess } from "./access.ts";
import { ControllerMoved, ZooKeeperFailure } from "./failures.ts";
import * as paths from "./paths.ts";
import {
  decodeBroker,
  decodeConfig,
  decodeController,
  decodePartitionState,
  decodeTopic,
  encodeConfig,
  encodePartitionState,
  encodeTopic,
  type Leadership,
  type TopicNode,
  type TopicPartition,
} from "./znodes.ts";

/** A live broker as its registration says; `epoch` is the node's czxid [ZK-10]. */
export interface BrokerInfo {
  readonly id: number;
  readonly epoch: number;
  readonly rack: string | null;
}

/** Outcome per partition of a read or write of its state [ZK-32]; `state` only when OK. */
export interface PartitionStateResult {
  readonly code: ZkCode;
  readonly state: Leadership | null;
}

/** Throws unless `code` is OK or one of `others`. */
export function expectCode(code: ZkCode, what: string, ...others: readonly ZkCode[]): void {
  if (code !== ZkCode.OK && !others.includes(code)) throw new ZooKeeperFailure(code, what);
}

export class ClusterStore {
  readonly access: ZooKeeperAccess;
  readonly #switches: Switches;

  constructor(access: ZooKeeperAccess, switches: Switches) {
    this.access = access;
    this.#switches = switches;
    access.carriesOver = switches["unfenced-controller"];
  }

  // --- plumbing ---------------------------------------------------------------------------------

  /** Content and version of a znode; null if there is none. */
  *read(path: string): Flow<{ data: string; version: number; czxid: number } | null> {
    const response = yield* this.access.request({ op: "getData", path });
    expectCode(response.code, `read ${path}`, ZkCode.NONODE);
    if (response.code === ZkCode.NONODE || response.stat === null) return null;
    const { version, czxid } = response.stat;
    return { data: response.data ?? "", version, czxid };
  }

  /** Empty if the node does not exist. */
  *children(path: string): Flow<readonly string[]> {
    const response = yield* this.access.request({ op: "getChildren", path });
    expectCode(response.code, `list ${path}`, ZkCode.NONODE);
    return response.children;
  }

  *fenced(ops: readonly MultiOp[], epochVersion: number): Flow<ZkResponse[]> {
    const unfenced = epochVersion < 0 || this.#switches["unfenced-controller"];
    const requests = ops.map((op): ZkRequest => (unfenced ? op : withCheck(op, epochVersion)));
    const responses = yield* this.access.batch(requests);
    return unfenced ? responses : responses.map(secondResult);
  }

  // --- start ------------------------------------------------------------------------------------

  /** [ZK-7] */
  *createPersistentPaths(): Flow<void> {
    const responses = yield* this.access.batch(
      paths.PERSISTENT_PATHS.map((path): ZkRequest => createPersistent(path, "")),
    );
    for (const { code } of responses) expectCode(code, "persistent paths", ZkCode.NODEEXISTS);
  }

  // --- controller -------------------------------------------------------------------------------

  /** Leaves a watch on `/controller` if a handler is registered; null when there is none. */
  *controllerId(): Flow<number | null> {
    const node = yield* this.read(paths.CONTROLLER);
    return node === null ? null : decodeController(node.data);
  }

  /** Value and znode version; null before the first controller. */
  *controllerEpoch(): Flow<{ epoch: number; version: number } | null> {
    const node = yield* this.read(paths.CONTROLLER_EPOCH);
    return node === null ? null : { epoch: Number(node.data), version: node.version };
  }

  /** Removes `/controller` unless another controller was elected since [CTL-3.6]. */
  *deleteController(epochVersion: number): Flow<void> {
    yield* this.fenced([{ op: "delete", path: paths.CONTROLLER, version: -1 }], epochVersion);
  }

  // --- brokers and topics -----------------------------------------------------------------------

  /** Registered brokers, ascending by id. */
  *brokers(): Flow<BrokerInfo[]> {
    const names = yield* this.children(paths.BROKER_IDS);
    // "| 0" keeps them integers for V8: what an optimised map(Number) gives is floating-point, and
    // all that ever holds a broker id would be optimised anew for that (a third of a short trial).
    const ids = names.map((name) => Number(name) | 0).sort((a, b) => a - b);
    const responses = yield* this.access.batch(
      ids.map((id): ZkRequest => ({ op: "getData", path: paths.brokerPath(id) })),
    );
    const brokers: BrokerInfo[] = [];
    for (const [index, response] of responses.entries()) {
      expectCode(response.code, "read brokers", ZkCode.NONODE);
      if (response.stat === null || response.data === null) continue;
      const { rack } = decodeBroker(response.data);
      brokers.push({ id: ids[index] as number, epoch: response.stat.czxid, rack });
    }
    return brokers;
  }

  /** Contents of the topic nodes that exist, in the order asked for. */
  *topicNodes(topics: readonly string[]): Flow<Map<string, TopicNode>> {
    const responses = yield* this.access.batch(
      topics.map((topic): ZkRequest => ({ op: "getData", path: paths.topicPath(topic) })),
    );
    const nodes = new Map<string, TopicNode>();
    for (const [index, response] of responses.entries()) {
      expectCode(response.code, "read topics", ZkCode.NONODE);
      if (response.data === null) continue;
      nodes.set(topics[index] as string, decodeTopic(response.data));
    }
    return nodes;
  }

  /** Create-if-absent, by the broker that handles CreateTopics: false if the topic exists. */
  *createTopic(topic: string, node: TopicNode): Flow<boolean> {
    const response = yield* this.access.request(
      createPersistent(paths.topicPath(topic), encodeTopic(node)),
    );
    expectCode(response.code, `create topic ${topic}`, ZkCode.NODEEXISTS);
    return response.code === ZkCode.OK;
  }

  // --- partition states -------------------------------------------------------------------------

  *partitionStates(partitions: readonly TopicPartition[]): Flow<PartitionStateResult[]> {
    const responses = yield* this.access.batch(
      partitions.map(
        ({ topic, partition }): ZkRequest => ({
          op: "getData",
          path: paths.partitionStatePath(topic, partition),
        }),
      ),
    );
    return responses.map(({ code, data, stat }) => {
      expectCode(code, "read partition states", ZkCode.NONODE);
      if (data === null || stat === null) return { code, state: null };
      return { code, state: decodePartitionState(data, stat.version) };
    });
  }

  /** First states: fenced create-if-absent of the three nodes [CTL-43]. */
  *createPartitionStates(
    partitions: readonly TopicPartition[],
    states: readonly Leadership[],
    epochVersion: number,
  ): Flow<PartitionStateResult[]> {
    const parents: MultiOp[] = [];
    let last = "";
    for (const { topic } of partitions) {
      if (topic !== last) parents.push(createPersistent(paths.partitionsPath(topic), ""));
      last = topic;
    }
    const nodes = partitions.map(({ topic, partition }) =>
      createPersistent(paths.partitionPath(topic, partition), ""),
    );
    for (const ops of [parents, nodes]) {
      for (const { code } of yield* this.fenced(ops, epochVersion)) {
        // NONODE: the topic is gone again; the state's own creation will say so.
        expectCode(code, "create partitions", ZkCode.NODEEXISTS, ZkCode.NONODE);
      }
    }
    const contents = partitions.map(({ topic, partition }, index) =>
      createPersistent(
        paths.partitionStatePath(topic, partition),
        encodePartitionState(states[index] as Leadership),
      ),
    );
    const responses = yield* this.fenced(contents, epochVersion);
    return responses.map(({ code }, index) => {
      expectCode(code, "create partition states", ZkCode.NODEEXISTS, ZkCode.NONODE);
      return { code, state: code === ZkCode.OK ? (states[index] as Leadership) : null };
    });
  }

  /** Conditional on each state's `partitionEpoch`, the version that was read [ZK-31], [ZK-32]. */
  *writePartitionStates(
    partitions: readonly TopicPartition[],
    states: readonly Leadership[],
    epochVersion: number,
  ): Flow<PartitionStateResult[]> {
    const anyVersion = this.#switches["isr-without-compare-and-set"];
    const ops = partitions.map(({ topic, partition }, index): MultiOp => {
      const state = states[index] as Leadership;
      return {
        op: "setData",
        path: paths.partitionStatePath(topic, partition),
        data: encodePartitionState(state),
        version: anyVersion ? -1 : state.partitionEpoch,
      };
    });
    const responses = yield* this.fenced(ops, epochVersion);
    return responses.map(({ code, stat }, index) => {
      expectCode(code, "write partition states", ZkCode.BADVERSION, ZkCode.NONODE);
      if (code !== ZkCode.OK) return { code, state: null };
      const written = states[index] as Leadership;
      const partitionEpoch = stat === null ? written.partitionEpoch + 1 : stat.version;
      return { code, state: { ...written, partitionEpoch } };
    });
  }

  // --- topic configuration ----------------------------------------------------------------------

  /** Empty when the topic has no settings of its own. */
  *topicOverrides(topics: readonly string[]): Flow<TopicOverrides[]> {
    const responses = yield* this.access.batch(
      topics.map((topic): ZkRequest => ({ op: "getData", path: paths.topicConfigPath(topic) })),
    );
    return responses.map(({ code, data }) => {
      expectCode(code, "read topic configuration", ZkCode.NONODE);
      return data === null || data === "" ? {} : decodeConfig(data);
    });
  }

  /** Set or create, unconditional. */
  *writeTopicOverrides(topic: string, overrides: TopicOverrides): Flow<void> {
    const path = paths.topicConfigPath(topic);
    const data = encodeConfig(overrides);
    const set = yield* this.access.request({ op: "setData", path, data, version: -1 });
    expectCode(set.code, `configure ${topic}`, ZkCode.NONODE);
    if (set.code === ZkCode.OK) return;
    const created = yield* this.access.request(createPersistent(path, data));
    expectCode(created.code, `configure ${topic}`, ZkCode.NODEEXISTS);
    if (created.code === ZkCode.NODEEXISTS) yield* this.writeTopicOverrides(topic, overrides);
  }

  // --- notifications ----------------------------------------------------------------------------

  /** Contents of notification nodes, with their names; those that vanished are left out. */
  *notifications(
    parent: string,
    names: readonly string[],
  ): Flow<{ name: string; data: string; createdMs: number }[]> {
    const responses = yield* this.access.batch(
      names.map((name): ZkRequest => ({ op: "getData", path: `${parent}/${name}` })),
    );
    const found: { name: string; data: string; createdMs: number }[] = [];
    for (const [index, { code, data, stat }] of responses.entries()) {
      expectCode(code, `read ${parent}`, ZkCode.NONODE);
      if (data === null || stat === null) continue;
      found.push({ name: names[index] as string, data, createdMs: stat.ctime });
    }
    return found;
  }

  /** Nodes that are gone already do not matter. */
  *deleteChildren(parent: string, names: readonly string[], epochVersion: number): Flow<void> {
    const ops = names.map(
      (name): MultiOp => ({ op: "delete", path: `${parent}/${name}`, version: -1 }),
    );
    for (const { code } of yield* this.fenced(ops, epochVersion)) {
      expectCode(code, `delete below ${parent}`, ZkCode.NONODE);
    }
  }
}

export function createPersistent(path: string, data: string): MultiOp {
  return { op: "create", path, data, mode: "persistent" };
}

function withCheck(op: MultiOp, epochVersion: number): ZkRequest {
  return {
    op: "multi",
    ops: [{ op: "check", path: paths.CONTROLLER_EPOCH, version: epochVersion }, op],
  };
}

/** The outcome of the write behind the epoch check. Throws ControllerMoved if the check failed. */
function secondResult(response: ZkResponse): ZkResponse {
  const [check, write] = response.results;
  if (check === undefined || write === undefined) return response;
  if (check.code === ZkCode.BADVERSION || check.code === ZkCode.NONODE) throw new ControllerMoved();
  return { ...response, code: write.code, path: write.path, stat: write.stat };
}
