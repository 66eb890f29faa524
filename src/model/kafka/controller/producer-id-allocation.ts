/** AllocateProducerIds of an active controller: a block of producer ids for one broker [PID-21]. */
import type { Flow } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { RequestBody, ResponseBody } from "../protocol/messages.ts";
import { allocateProducerIdBlock } from "../zookeeper/producer-id-blocks.ts";
import type { ControllerRuntime } from "./runtime.ts";

export function* allocateProducerIds(
  { context, store }: ControllerRuntime,
  { brokerId, brokerEpoch }: RequestBody["AllocateProducerIds"],
): Flow<ResponseBody["AllocateProducerIds"]> {
  if (context.broker(brokerId)?.epoch !== brokerEpoch) {
    const errorCode = ErrorCode.STALE_BROKER_EPOCH;
    return { errorCode, producerIdStart: -1, producerIdLen: 0 };
  }
  const { start, end } = yield* allocateProducerIdBlock(store, brokerId);
  return {
    errorCode: ErrorCode.NONE,
    producerIdStart: start,
    producerIdLen: end - start + 1,
  };
}
