import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MultiOp } from "../src/model/zookeeper/client-api.ts";
import { DataTree, parentOf } from "../src/model/zookeeper/data-tree.ts";
import { RequestPreparation } from "../src/model/zookeeper/preparation.ts";
import { SessionTracker } from "../src/model/zookeeper/sessions.ts";
import { ZkCode } from "../src/model/zookeeper/txn.ts";
import { makeRecord, type TxnRecord } from "../src/model/zookeeper/txn-record.ts";

/** A plain model: one map, everything immediate, written without looking at the implementation. */
class Model {
  nodes = new Map<string, { data: string; version: number; owner: number; created: number }>([
    ["/", { data: "", version: 0, owner: 0, created: 0 }],
  ]);

  children(path: string): string[] {
    const names: string[] = [];
    for (const other of this.nodes.keys()) {
      if (other !== "/" && parentOf(other) === path)
        names.push(other.slice(other.lastIndexOf("/") + 1));
    }
    return names.sort();
  }

  one(op: MultiOp, session: number): ZkCode {
    const node = this.nodes.get(op.path);
    if (op.op === "create") {
      const parent = this.nodes.get(parentOf(op.path));
      if (parent === undefined) return ZkCode.NONODE;
      const sequential = op.mode.endsWith("Sequential");
      const path = sequential ? op.path + String(parent.created).padStart(10, "0") : op.path;
      if (this.nodes.has(path)) return ZkCode.NODEEXISTS;
      if (parent.owner !== 0) return ZkCode.NOCHILDRENFOREPHEMERALS;
      parent.created++;
      const owner = op.mode.startsWith("ephemeral") ? session : 0;
      this.nodes.set(path, { data: op.data, version: 0, owner, created: 0 });
      return ZkCode.OK;
    }
    if (op.op === "delete" && op.path === "/") return ZkCode.BADARGUMENTS;
    if (node === undefined) return ZkCode.NONODE;
    if (op.version !== -1 && op.version !== node.version) return ZkCode.BADVERSION;
    if (op.op === "delete") {
      if (this.children(op.path).length > 0) return ZkCode.NOTEMPTY;
      this.nodes.delete(op.path);
    } else if (op.op === "setData") {
      node.data = op.data;
      node.version++;
    }
    return ZkCode.OK;
  }

  multi(ops: readonly MultiOp[], session: number): ZkCode {
    const saved = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    for (const op of ops) {
      const code = this.one(op, session);
      if (code === ZkCode.OK) continue;
      this.nodes = saved;
      return code;
    }
    return ZkCode.OK;
  }

  close(session: number): void {
    for (const [path, node] of this.nodes) if (node.owner === session) this.nodes.delete(path);
  }
}

const path = fc.constantFrom("/", "/a", "/b", "/a/x", "/a/y", "/a/x/z", "/b/x");
const version = fc.constantFrom(-1, -1, 0, 1, 2);
const data = fc.constantFrom("", "1", "22");
const mode = fc.constantFrom(
  "persistent" as const,
  "persistent" as const,
  "ephemeral" as const,
  "persistentSequential" as const,
  "ephemeralSequential" as const,
);
const operation: fc.Arbitrary<MultiOp> = fc.oneof(
  fc.record({
    op: fc.constant("create" as const),
    path: fc.constantFrom("/a", "/b", "/a/x", "/a/y", "/a/x/z", "/b/x"),
    data,
    mode,
  }),
  fc.record({ op: fc.constant("delete" as const), path, version }),
  fc.record({ op: fc.constant("setData" as const), path, data, version }),
  fc.record({ op: fc.constant("check" as const), path, version }),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("one" as const), operation }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("multi" as const),
      ops: fc.array(operation, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const) }) },
);

describe("preparation and data tree against a plain model [ZOP-2] [ZOP-3] [ZOP-4] [ZAB-30]", () => {
  it("agree, with transactions outstanding, on two servers and through a snapshot", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.integer({ min: 0, max: 3 })), { maxLength: 40 }),
        (steps) => {
          const model = new Model();
          const tree = new DataTree(null);
          let follower = new DataTree(null);
          const sessions = new SessionTracker(2_000, false);
          const preparation = new RequestPreparation(tree, sessions, false);
          const outstanding: { record: TxnRecord; expected: ZkCode }[] = [];
          let zxid = 0;
          let session = 1;
          sessions.track(session, 6_000, 1, 0);
          const drain = (keep: number) => {
            while (outstanding.length > keep) {
              const { record, expected } = outstanding.shift() as (typeof outstanding)[number];
              expect(tree.apply(record, null).code).toBe(expected);
              preparation.applied(record.zxid);
              follower.apply(record, null);
            }
          };
          for (const [action, keep] of steps) {
            zxid++;
            let expected: ZkCode = ZkCode.OK;
            const owner = session;
            let operation: Parameters<RequestPreparation["prepare"]>[0]["operation"];
            if (action.kind === "one" && action.operation.op === "check") {
              expected = model.multi([action.operation], session);
              operation = { op: "multi", ops: [action.operation] };
            } else if (action.kind === "one") {
              expected = model.one(action.operation, session);
              operation = action.operation as typeof operation;
            } else if (action.kind === "multi") {
              expected = model.multi(action.ops, session);
              operation = { op: "multi", ops: action.ops };
            } else {
              model.close(session);
              operation = { op: "closeSession" };
            }
            const txn = preparation.prepare({ session: owner, cxid: 1, operation }, 1, 0, zxid);
            outstanding.push({ record: makeRecord(zxid, 0, owner, 1, txn), expected });
            if (action.kind === "close") sessions.track(++session, 6_000, 1, 0);
            drain(keep);
            if (keep === 3) follower = new DataTree(follower.snapshot(zxid, zxid, 0));
          }
          drain(0);
          expect(tree.size).toBe(model.nodes.size);
          for (const [name, node] of model.nodes) {
            for (const server of [tree, follower]) {
              const found = server.get(name);
              expect(found?.data).toBe(node.data);
              expect(found?.stat.version).toBe(node.version);
              expect(found?.stat.ephemeralOwner).toBe(node.owner);
              expect(found?.created).toBe(node.created);
              expect(server.childrenOf(name)).toEqual(model.children(name));
              expect(found?.stat.numChildren).toBe(model.children(name).length);
            }
          }
          expect(follower.snapshot(0, 0, 0)).toEqual(tree.snapshot(0, 0, 0));
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });
});
