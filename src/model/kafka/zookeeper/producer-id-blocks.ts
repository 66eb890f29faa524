/** Allocation of blocks of producer ids by compare-and-set on one znode [ZK-44]. */
import type { Flow } from "../../../sim/index.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { PRODUCER_ID_BLOCK } from "./paths.ts";
import { type ClusterStore, expectCode } from "./store.ts";
import { decodeProducerIdBlock, encodeProducerIdBlock, type ProducerIdBlock } from "./znodes.ts";

/** Ids in one block. */
export const PRODUCER_ID_BLOCK_SIZE = 1_000;

function same(a: ProducerIdBlock | null, b: ProducerIdBlock): boolean {
  return a !== null && a.broker === b.broker && a.start === b.start && a.end === b.end;
}

/** Takes the next block for `broker`. A write whose answer was lost is recognised by its content. */
export function* allocateProducerIdBlock(
  store: ClusterStore,
  broker: number,
): Flow<ProducerIdBlock> {
  let attempted: ProducerIdBlock | null = null;
  for (;;) {
    const node = yield* store.read(PRODUCER_ID_BLOCK);
    const current = node === null ? null : decodeProducerIdBlock(node.data);
    if (attempted !== null && same(current, attempted)) return attempted;
    const start = current === null ? 0 : current.end + 1;
    const block = { broker, start, end: start + PRODUCER_ID_BLOCK_SIZE - 1 };
    const response = yield* store.access.request({
      op: "setData",
      path: PRODUCER_ID_BLOCK,
      data: encodeProducerIdBlock(block),
      version: node?.version ?? 0,
    });
    expectCode(response.code, "producer id block", ZkCode.BADVERSION);
    if (response.code === ZkCode.OK) return block;
    attempted = block;
  }
}
