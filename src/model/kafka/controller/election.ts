/**
 * The election of the controller among the brokers: the protocol over `/controller` and
 * `/controller_epoch` [CTL-3], and nothing of what the winner then does.
 */
import type { Flow } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import { multiCode } from "../zookeeper/access.ts";
import { ControllerMoved, ZooKeeperFailure } from "../zookeeper/failures.ts";
import { CONTROLLER, CONTROLLER_EPOCH } from "../zookeeper/paths.ts";
import { type ClusterStore, createPersistent, expectCode } from "../zookeeper/store.ts";
import { encodeController } from "../zookeeper/znodes.ts";

/** The epoch won, and the znode version that fences the winner's writes [ZK-4]. */
export interface Mandate {
  readonly epoch: number;
  readonly epochVersion: number;
}

/**
 * Tries to become the controller. Throws ControllerMoved if another broker was faster, and
 * ZooKeeperFailure on any other trouble.
 */
export function* runForController(
  store: ClusterStore,
  brokerId: number,
  timestampMs: number,
  switches: Switches,
): Flow<Mandate> {
  const current = yield* epochNode(store);
  const raised = switches["controller-epoch-not-raised"]
    ? Math.max(1, current.epoch)
    : current.epoch + 1;
  const response = yield* store.access.request({
    op: "multi",
    ops: [
      {
        op: "create",
        path: CONTROLLER,
        data: encodeController(brokerId, timestampMs),
        mode: "ephemeral",
      },
      { op: "setData", path: CONTROLLER_EPOCH, data: String(raised), version: current.version },
    ],
  });
  const code = multiCode(response);
  if (code === ZkCode.OK) {
    const version = response.results[1]?.stat?.version ?? current.version + 1;
    return { epoch: raised, epochVersion: version };
  }
  if (code !== ZkCode.NODEEXISTS && code !== ZkCode.BADVERSION) {
    throw new ZooKeeperFailure(code, "controller election");
  }
  // Perhaps the own success, whose answer was lost.
  if ((yield* store.controllerId()) === brokerId) {
    const stored = yield* store.controllerEpoch();
    if (stored !== null && stored.epoch === raised) {
      return { epoch: raised, epochVersion: stored.version };
    }
  }
  throw new ControllerMoved();
}

/** Value and version of `/controller_epoch`, made with value 0 if absent. */
function* epochNode(store: ClusterStore): Flow<{ epoch: number; version: number }> {
  for (;;) {
    const node = yield* store.controllerEpoch();
    if (node !== null) return node;
    const { code } = yield* store.access.request(createPersistent(CONTROLLER_EPOCH, "0"));
    expectCode(code, "create /controller_epoch", ZkCode.NODEEXISTS);
    if (code === ZkCode.OK) return { epoch: 0, version: 0 };
  }
}
