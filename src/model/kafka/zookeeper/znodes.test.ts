import { describe, expect, test } from "vitest";
import { RECOVERED, RECOVERING } from "../protocol/messages.ts";
import * as paths from "./paths.ts";
import * as znodes from "./znodes.ts";

describe("znode contents", () => {
  test("controller [§1.2]", () => {
    const text = znodes.encodeController(2, 1234);
    expect(JSON.parse(text)).toEqual({
      version: 2,
      brokerid: 2,
      timestamp: "1234",
      kraftControllerEpoch: -1,
    });
    expect(znodes.decodeController(text)).toBe(2);
  });

  test("broker registration, with and without rack [ZK-10]", () => {
    for (const rack of [null, "r1"]) {
      const node = { host: "b1", port: 9092, rack, timestampMs: 5 };
      const text = znodes.encodeBroker(node);
      expect(znodes.decodeBroker(text)).toEqual(node);
      const json = JSON.parse(text);
      expect(json.version).toBe(5);
      expect(json.endpoints).toEqual(["PLAINTEXT://b1:9092"]);
      expect("rack" in json).toBe(rack !== null);
    }
  });

  test("topic: only non-empty adding and removing lists [ZK-20]", () => {
    const plain = { replicas: [1, 2], addingReplicas: [], removingReplicas: [] };
    const moving = { replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [1] };
    const topic = { topicId: "id", partitions: [plain, moving] };
    const text = znodes.encodeTopic(topic);
    expect(JSON.parse(text)).toEqual({
      version: 3,
      topic_id: "id",
      partitions: { "0": [1, 2], "1": [3, 1, 2] },
      adding_replicas: { "1": [3] },
      removing_replicas: { "1": [1] },
    });
    expect(znodes.decodeTopic(text)).toEqual(topic);
  });

  test("partition state: the znode version is the partition epoch [ZK-30] [ZK-31]", () => {
    const state = {
      leader: 1,
      leaderEpoch: 4,
      isr: [1, 3],
      leaderRecoveryState: RECOVERED,
      controllerEpoch: 2,
      partitionEpoch: 9,
    };
    const text = znodes.encodePartitionState(state);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      leader: 1,
      leader_epoch: 4,
      controller_epoch: 2,
      isr: [1, 3],
    });
    expect(znodes.decodePartitionState(text, 9)).toEqual(state);
    const recovering = { ...state, leaderRecoveryState: RECOVERING };
    const other = znodes.encodePartitionState(recovering);
    expect(JSON.parse(other).leader_recovery_state).toBe(1);
    expect(znodes.decodePartitionState(other, 9)).toEqual(recovering);
  });

  test("notifications, configuration, producer ids [ZK-40] [ZK-41] [ZK-42] [ZK-44]", () => {
    const changed = [{ topic: "t", partition: 1 }];
    expect(znodes.decodeIsrChange(znodes.encodeIsrChange(changed))).toEqual(changed);
    expect(znodes.decodeLogDirEvent(znodes.encodeLogDirEvent(3))).toBe(3);
    expect(znodes.decodeConfigChange(znodes.encodeConfigChange("topics/t"))).toBe("topics/t");
    const config = { "retention.ms": "1" };
    expect(znodes.decodeConfig(znodes.encodeConfig(config))).toEqual(config);
    const block = { broker: 1, start: 0, end: 999 };
    const text = znodes.encodeProducerIdBlock(block);
    expect(JSON.parse(text)).toEqual({
      version: 1,
      broker: 1,
      block_start: "0",
      block_end: "999",
    });
    expect(znodes.decodeProducerIdBlock(text)).toEqual(block);
    expect(znodes.decodeProducerIdBlock("")).toBeNull();
  });

  test("paths: parents come before their children [ZK-7]", () => {
    const made = new Set([""]);
    for (const path of paths.PERSISTENT_PATHS) {
      expect(made.has(path.slice(0, path.lastIndexOf("/")))).toBe(true);
      made.add(path);
    }
    expect(paths.sequenceOf("isr_change_0000000012", "isr_change_")).toBe(12);
  });
});
