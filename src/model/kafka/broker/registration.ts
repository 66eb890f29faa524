/** The registration of a broker in ZooKeeper, and the broker epoch that it gives [ZK-10..12]. */
import type { Flow, ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import type { KafkaObservation } from "../observations.ts";
import { multiCode } from "../zookeeper/access.ts";
import { ZooKeeperFailure } from "../zookeeper/failures.ts";
import { brokerPath } from "../zookeeper/paths.ts";
import { type ClusterStore, expectCode } from "../zookeeper/store.ts";
import { encodeBroker } from "../zookeeper/znodes.ts";

const KAFKA_PORT = 9092;

export class Registration {
  readonly #context: ProcessContext;
  readonly #store: ClusterStore;
  readonly #brokerId: number;
  readonly #rack: string | null;
  /** The variant `registration-of-old-session-trusted`. */
  readonly #trustsAny: boolean;
  /** czxid of the own registration; -1 before the first. */
  brokerEpoch = -1;

  constructor(
    context: ProcessContext,
    store: ClusterStore,
    brokerId: number,
    rack: string | null,
    switches: Switches,
  ) {
    this.#trustsAny = switches["registration-of-old-session-trusted"];
    this.#context = context;
    this.#store = store;
    this.#brokerId = brokerId;
    this.#rack = rack;
  }

  /** False if another session's registration of this id exists [ZK-11]. */
  *register(): Flow<boolean> {
    const { access } = this.#store;
    const path = brokerPath(this.#brokerId);
    for (;;) {
      const response = yield* access.request({
        op: "multi",
        ops: [
          { op: "create", path, data: "", mode: "ephemeral" },
          { op: "setData", path, data: this.#content(), version: 0 },
        ],
      });
      const code = multiCode(response);
      if (code === ZkCode.OK) {
        const stat = response.results[1]?.stat ?? response.results[0]?.stat ?? null;
        if (stat === null) throw new Error("a successful registration has a stat");
        this.#registered(stat.czxid);
        return true;
      }
      if (code !== ZkCode.NODEEXISTS) throw new ZooKeeperFailure(code, `register ${path}`);
      const present = yield* access.request({ op: "exists", path });
      expectCode(present.code, `registration ${path}`, ZkCode.NONODE);
      if (present.stat === null) continue;
      const { ephemeralOwner, czxid } = present.stat;
      if (ephemeralOwner === access.sessionId || this.#trustsAny) {
        this.#registered(czxid);
        return true;
      }
      if (ephemeralOwner !== access.previousSessionId) return false;
      const removed = yield* access.request({ op: "delete", path, version: -1 });
      expectCode(removed.code, `own old registration ${path}`, ZkCode.NONODE);
    }
  }

  #content(): string {
    return encodeBroker({
      host: this.#context.name,
      port: KAFKA_PORT,
      rack: this.#rack,
      timestampMs: this.#context.wallMillis(),
    });
  }

  #registered(brokerEpoch: number): void {
    this.brokerEpoch = brokerEpoch;
    const fact: KafkaObservation = {
      kind: "BrokerRegistered",
      broker: this.#brokerId,
      brokerEpoch,
    };
    this.#context.observe(fact);
  }
}
