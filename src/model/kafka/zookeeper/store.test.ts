/** Fenced writes and sessions, over a real ensemble. */
import { describe, expect, test } from "vitest";
import { type Flow, SECOND, World } from "../../../sim/index.ts";
import { switchesFor, type VariantId } from "../../variants/registry.ts";
import { zooKeeperConfig } from "../../zookeeper/config.ts";
import { zooKeeperServer } from "../../zookeeper/server.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { ZooKeeperAccess } from "./access.ts";
import { ControllerMoved } from "./failures.ts";
import { CONTROLLER_EPOCH } from "./paths.ts";
import { allocateProducerIdBlock } from "./producer-id-blocks.ts";
import { ClusterStore, createPersistent } from "./store.ts";

/** Runs a flow in a process that has access to one ZooKeeper server. */
function withStore<T>(flow: (store: ClusterStore) => Flow<T>, variant: VariantId | null = null): T {
  const world = new World({ seed: "1", checked: true });
  const switches = switchesFor(variant);
  const ensemble = [{ id: 1, node: 0 }];
  const factory = zooKeeperServer({ id: 1, ensemble, config: zooKeeperConfig(), switches });
  world.start(world.addNode({ name: "zk1", group: "zookeeper", factory }));
  let result: { readonly settled: boolean; readonly value: T | undefined } | null = null;
  const client = world.addNode({
    name: "client",
    group: "client",
    factory: (context) => {
      const access = new ZooKeeperAccess({
        context,
        servers: [0],
        sessionTimeoutMs: 6_000,
        maxInFlight: 2,
        listener: { beforeNewSession: nothing, afterNewSession: () => {} },
      });
      result = context.spawn("test", flow(new ClusterStore(access, switches))).done;
      return {};
    },
  });
  world.start(client);
  world.runUntilCondition(() => result?.settled ?? false, 60 * SECOND);
  if (!(result as { settled: boolean } | null)?.settled) throw new Error("flow not ended");
  return (result as unknown as { value: T }).value;
}

/** Nothing to do between sessions. */
function* nothing(): Flow<void> {
  yield* [];
}

/** A write under an epoch version that is no longer the present one. */
function* staleWrite(store: ClusterStore): Flow<ZkCode | "moved"> {
  yield* store.access.request(createPersistent(CONTROLLER_EPOCH, "1"));
  const raised = { op: "setData", path: CONTROLLER_EPOCH, data: "2", version: 0 } as const;
  yield* store.access.request(raised);
  try {
    const [response] = yield* store.fenced([createPersistent("/written", "")], 0);
    return (response as { code: ZkCode }).code;
  } catch (error) {
    if (error instanceof ControllerMoved) return "moved";
    throw error;
  }
}

describe("fenced writes [ZK-4]", () => {
  test("fail when another controller was elected", () => {
    expect(withStore(staleWrite)).toBe("moved");
  });

  test("succeed with the variant unfenced-controller", () => {
    expect(withStore(staleWrite, "unfenced-controller")).toBe(ZkCode.OK);
  });

  test("the second operation's result counts when the check passes", () => {
    const codes = withStore(function* (store) {
      yield* store.access.request(createPersistent(CONTROLLER_EPOCH, "1"));
      const ops = [createPersistent("/a", ""), createPersistent("/a", "")];
      const missing = { op: "setData", path: "/b", data: "", version: -1 } as const;
      const stale = { op: "setData", path: "/a", data: "", version: 7 } as const;
      const responses = yield* store.fenced([...ops, missing, stale], 0);
      return responses.map(({ code }) => code);
    });
    expect(codes).toEqual([ZkCode.OK, ZkCode.NODEEXISTS, ZkCode.NONODE, ZkCode.BADVERSION]);
  });
});

describe("requests", () => {
  test("a batch wider than the limit in flight is answered in order [ZK-2]", () => {
    const paths = withStore(function* (store) {
      const ops = Array.from({ length: 9 }, (_, index) => createPersistent(`/n${index}`, ""));
      return (yield* store.access.batch(ops)).map(({ path }) => path);
    });
    expect(paths).toEqual(Array.from({ length: 9 }, (_, index) => `/n${index}`));
  });

  test("blocks of producer ids follow each other [ZK-44]", () => {
    const blocks = withStore(function* (store) {
      yield* store.createPersistentPaths();
      const first = yield* allocateProducerIdBlock(store, 1);
      return [first, yield* allocateProducerIdBlock(store, 2)];
    });
    expect(blocks).toEqual([
      { broker: 1, start: 0, end: 999 },
      { broker: 2, start: 1_000, end: 1_999 },
    ]);
  });
});
