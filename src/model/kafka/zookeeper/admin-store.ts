/**
 * What administration writes to ZooKeeper: topic nodes, deletion markers, reassignments,
 * configuration with its notification [ZK-42, ZK-43].
 *
 * Epoch version -1: a broker that serves an administrator, no check [ZK-4]. Errors as in store.ts.
 */
import type { Flow } from "../../../sim/index.ts";
import type { MultiOp } from "../../zookeeper/client-api.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import type { TopicOverrides } from "../config.ts";
import type { ZkRequest } from "./access.ts";
import * as paths from "./paths.ts";
import { type ClusterStore, createPersistent, expectCode } from "./store.ts";
import {
  decodePreferredElection,
  decodeReassignments,
  encodeConfigChange,
  encodeReassignments,
  encodeTopic,
  type ReassignmentTarget,
  type TopicNode,
  type TopicPartition,
} from "./znodes.ts";

export class AdminStore {
  readonly #store: ClusterStore;

  constructor(store: ClusterStore) {
    this.#store = store;
  }

  /** Whatever the version; false if the topic is gone. */
  *writeTopic(topic: string, node: TopicNode, epochVersion: number): Flow<boolean> {
    const path = paths.topicPath(topic);
    const data = encodeTopic(node);
    const [response] = yield* this.#store.fenced(
      [{ op: "setData", path, data, version: -1 }],
      epochVersion,
    );
    const code = response?.code ?? ZkCode.NONODE;
    expectCode(code, `write ${path}`, ZkCode.NONODE);
    return code === ZkCode.OK;
  }

  // --- deletion [CTL-75] ------------------------------------------------------------------------

  /** Marks a topic; that it is marked already is as good. */
  *markForDeletion(topic: string): Flow<void> {
    const { code } = yield* this.#store.access.request(
      createPersistent(paths.deleteTopicPath(topic), ""),
    );
    expectCode(code, `delete ${topic}`, ZkCode.NODEEXISTS);
  }

  *unmark(topics: readonly string[], epochVersion: number): Flow<void> {
    yield* this.#store.deleteChildren(paths.DELETE_TOPICS, topics, epochVersion);
  }

  /** Topic node with all below it, then its configuration, then the marker. */
  *deleteTopic(topic: string, epochVersion: number): Flow<void> {
    yield* this.#deleteTree(paths.topicPath(topic), epochVersion);
    yield* this.#delete([paths.topicConfigPath(topic)], epochVersion);
    yield* this.#delete([paths.deleteTopicPath(topic)], epochVersion);
  }

  /** Level by level, the deepest first. */
  *#deleteTree(root: string, epochVersion: number): Flow<void> {
    const levels: string[][] = [[root]];
    for (;;) {
      const level = levels[levels.length - 1] as string[];
      const responses = yield* this.#store.access.batch(
        level.map((path): ZkRequest => ({ op: "getChildren", path })),
      );
      const below: string[] = [];
      for (const [index, { code, children }] of responses.entries()) {
        expectCode(code, `delete ${root}`, ZkCode.NONODE);
        for (const child of children) below.push(`${level[index] as string}/${child}`);
      }
      if (below.length === 0) break;
      levels.push(below);
    }
    for (const level of levels.reverse()) yield* this.#delete(level, epochVersion);
  }

  *#delete(list: readonly string[], epochVersion: number): Flow<void> {
    const ops = list.map((path): MultiOp => ({ op: "delete", path, version: -1 }));
    for (const { code } of yield* this.#store.fenced(ops, epochVersion)) {
      expectCode(code, "delete", ZkCode.NONODE);
    }
  }

  // --- the nodes of the old tools [ZK-43] ---------------------------------------------------------

  /** null if the node does not exist; leaves a watch either way if a handler is registered. */
  *reassignments(): Flow<readonly ReassignmentTarget[] | null> {
    const data = yield* this.#watched(paths.REASSIGN_PARTITIONS);
    return data === null ? null : decodeReassignments(data);
  }

  /** Removes the node when nothing is left [CTL-84.6]. */
  *writeReassignments(left: readonly ReassignmentTarget[], epochVersion: number): Flow<void> {
    const path = paths.REASSIGN_PARTITIONS;
    const op: MultiOp =
      left.length === 0
        ? { op: "delete", path, version: -1 }
        : { op: "setData", path, data: encodeReassignments(left), version: -1 };
    for (const { code } of yield* this.#store.fenced([op], epochVersion)) {
      expectCode(code, `write ${path}`, ZkCode.NONODE);
    }
  }

  *preferredElection(): Flow<readonly TopicPartition[] | null> {
    const data = yield* this.#watched(paths.PREFERRED_ELECTION);
    return data === null ? null : decodePreferredElection(data);
  }

  *deletePreferredElection(epochVersion: number): Flow<void> {
    yield* this.#delete([paths.PREFERRED_ELECTION], epochVersion);
  }

  *#watched(path: string): Flow<string | null> {
    const { code, stat } = yield* this.#store.access.request({ op: "exists", path });
    expectCode(code, `read ${path}`, ZkCode.NONODE);
    if (stat === null) return null;
    return (yield* this.#store.read(path))?.data ?? null;
  }

  // --- configuration [ZK-42] ----------------------------------------------------------------------

  /** The config node, then the notification: not atomic. */
  *changeTopicConfig(topic: string, overrides: TopicOverrides): Flow<void> {
    yield* this.#store.writeTopicOverrides(topic, overrides);
    const { code } = yield* this.#store.access.request({
      op: "create",
      path: `${paths.CONFIG_CHANGES}/${paths.CONFIG_CHANGE_PREFIX}`,
      data: encodeConfigChange(`topics/${topic}`),
      mode: "persistentSequential",
    });
    expectCode(code, "configuration notification");
  }
}
