import { describe, expect, it } from "vitest";
import type { Op } from "./history.ts";
import { writeEdnHistory, writeEdnOp } from "./history-edn.ts";

const op = (more: Partial<Op>): Op => ({
  index: 3,
  process: 1,
  type: "ok",
  f: "send",
  time: 12,
  value: [],
  ...more,
});

describe("EDN as Jepsen writes it (CHECKS §1.1)", () => {
  it("gives sends their offset at ok, and none at invoke", () => {
    const value = [{ f: "send", key: "orders-0", value: "v7", offset: 4 }] as const;
    expect(writeEdnOp(op({ value, acks: -1 }))).toBe(
      '{:index 3, :time 12000, :process 1, :type :ok, :f :send, :value [[:send "orders-0" [4 "v7"]]], :acks -1}',
    );
    const invoked = [{ f: "send", key: "orders-0", value: "v7", offset: null }] as const;
    expect(writeEdnOp(op({ type: "invoke", value: invoked }))).toContain(
      ':value [[:send "orders-0" "v7"]]',
    );
    expect(writeEdnOp(op({ value: invoked }))).toContain('[nil "v7"]');
  });

  it("groups what was polled by key, and quotes as EDN does", () => {
    const records = [
      { key: "a-0", offset: 0, value: 'say "x"\n' },
      { key: "b-0", offset: 5, value: "y" },
      { key: "a-0", offset: 1, value: "z" },
    ];
    expect(writeEdnOp(op({ f: "poll", value: [{ f: "poll", records }] }))).toContain(
      ':value [[:poll {"a-0" [[0 "say \\"x\\"\\n"] [1 "z"]] "b-0" [[5 "y"]]}]]',
    );
  });

  it("writes assignments, rebalances, errors and the final phase", () => {
    const assign = op({ f: "assign", keys: ["a-0"], seekToBeginning: true, final: true });
    expect(writeEdnOp(assign)).toContain(
      ':f :assign, :value ["a-0"], :seek-to-beginning? true, :final? true}',
    );
    const moved = op({ f: "poll", type: "info", rebalanceLog: [["a-0"]], error: "timeout" });
    expect(writeEdnOp(moved)).toContain(':rebalance-log [{:keys ["a-0"]}], :error "timeout"}');
    expect(writeEdnOp(op({ f: "crash" }))).toContain(":value nil");
    expect(writeEdnHistory([op({}), op({})]).split("\n").length).toBe(3);
  });
});
