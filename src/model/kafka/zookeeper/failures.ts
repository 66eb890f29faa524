/**
 * The two ways in which a flow over ZooKeeper can be cut short.
 *
 * They are operating errors that end a whole controller event or start-up attempt wherever it is, as
 * Kafka's own exceptions do; every flow that can meet them is run by somebody who catches them.
 */
import type { ZkCode } from "../../zookeeper/txn.ts";

/** A request ended with a code that its caller cannot go on with, SESSIONEXPIRED above all [ZK-3]. */
export class ZooKeeperFailure extends Error {
  readonly code: ZkCode;
  constructor(code: ZkCode, what: string) {
    super(`${what}: ZooKeeper answered ${code}`);
    this.name = "ZooKeeperFailure";
    this.code = code;
  }
}

/** The epoch check of a fenced write failed: another controller was elected [ZK-4]. */
export class ControllerMoved extends Error {
  constructor() {
    super("another controller was elected");
    this.name = "ControllerMoved";
  }
}
