/**
 * ISR changes of old protocol versions: the leader writes the partition state node itself
 * [ISR-10..14] and tells the controller by a notification node [ZK-40].
 */
import { type Flow, MILLISECOND, type ProcessContext, type Timer } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import { ZkCode } from "../../zookeeper/txn.ts";
import type { IsrAnswer, IsrChanger, IsrProposal } from "../contracts.ts";
import { ErrorCode } from "../protocol/errors.ts";
import { ISR_CHANGE_PREFIX, ISR_CHANGES, partitionStatePath } from "../zookeeper/paths.ts";
import type { ClusterStore } from "../zookeeper/store.ts";
import {
  decodePartitionState,
  encodeIsrChange,
  encodePartitionState,
  type Leadership,
  type TopicPartition,
} from "../zookeeper/znodes.ts";

const PUBLISH_PERIOD = 2_500 * MILLISECOND;
const QUIET_PERIOD = 5_000 * MILLISECOND;
/** Before a write whose session expired is tried in the next one. */
const RETRY_DELAY = 50 * MILLISECOND;
const LONGEST_WAIT = 60_000 * MILLISECOND;

export class DirectIsrWriter implements IsrChanger {
  readonly #context: ProcessContext;
  readonly #store: ClusterStore;
  readonly #brokerId: number;
  readonly #controllerEpoch: () => number;
  readonly #switches: Switches;
  readonly #publish: Timer;
  readonly #inFlight = new Set<string>();
  #changed = new Map<string, TopicPartition>();
  #lastChange = 0;
  #lastPublished = 0;

  constructor(
    context: ProcessContext,
    store: ClusterStore,
    brokerId: number,
    controllerEpoch: () => number,
    switches: Switches,
  ) {
    this.#context = context;
    this.#store = store;
    this.#brokerId = brokerId;
    this.#controllerEpoch = controllerEpoch;
    this.#switches = switches;
    this.#publish = context.timer(() => this.#maybePublish());
  }

  submit(proposal: IsrProposal, answered: (answer: IsrAnswer) => void): boolean {
    const key = `${proposal.topic}/${proposal.partition}`;
    if (this.#inFlight.has(key)) return false;
    this.#inFlight.add(key);
    this.#context.spawn("ISR write", this.#write(key, proposal, answered));
    return true;
  }

  *#write(key: string, proposal: IsrProposal, answered: (answer: IsrAnswer) => void): Flow<void> {
    const errorAndState = yield* this.#attempt(proposal);
    this.#inFlight.delete(key);
    const { errorCode, state } = errorAndState;
    if (errorCode === ErrorCode.NONE) this.#note(key, proposal);
    answered({
      errorCode,
      leaderId: this.#brokerId,
      leaderEpoch: state.leaderEpoch,
      isr: state.isr,
      partitionEpoch: state.partitionEpoch,
    });
  }

  *#attempt(proposal: IsrProposal): Flow<{ errorCode: number; state: Leadership }> {
    const { topic, partition } = proposal;
    const path = partitionStatePath(topic, partition);
    const tried: Leadership = {
      leader: this.#brokerId,
      leaderEpoch: proposal.leaderEpoch,
      isr: proposal.newIsr,
      leaderRecoveryState: proposal.leaderRecoveryState,
      controllerEpoch: this.#controllerEpoch(),
      partitionEpoch: proposal.partitionEpoch,
    };
    const data = encodePartitionState(tried);
    const anyVersion = this.#switches["isr-without-compare-and-set"];
    const version = anyVersion ? -1 : proposal.partitionEpoch;
    const { access } = this.#store;
    const write = { op: "setData", path, data, version } as const;
    let response = yield* access.request(write);
    // The session is gone, and with it the answer: the ISR may have been written. The proposal stays
    // pending, because no other difference to ZooKeeper is allowed [REP-57], and the next session asks.
    while (response.code === ZkCode.SESSIONEXPIRED) {
      yield* this.#context.sleep(RETRY_DELAY);
      response = yield* access.request(write);
    }
    if (response.code === ZkCode.OK && response.stat !== null) {
      const stale = this.#switches["isr-version-not-updated"];
      const state = stale ? tried : { ...tried, partitionEpoch: response.stat.version };
      return { errorCode: ErrorCode.NONE, state };
    }
    if (response.code === ZkCode.BADVERSION) {
      // Perhaps the own write, whose answer was lost [ISR-13].
      const stored = yield* access.request({ op: "getData", path });
      if (stored.data === data && stored.stat !== null) {
        const state = decodePartitionState(stored.data, stored.stat.version);
        return { errorCode: ErrorCode.NONE, state };
      }
      return { errorCode: ErrorCode.INVALID_UPDATE_VERSION, state: tried };
    }
    // Refused: the leader returns to its last committed ISR and may try again later.
    return { errorCode: ErrorCode.OPERATION_NOT_ATTEMPTED, state: tried };
  }

  // --- notifications ----------------------------------------------------------------------------

  #note(key: string, { topic, partition }: IsrProposal): void {
    this.#changed.set(key, { topic, partition });
    this.#lastChange = this.#context.now();
    if (!this.#publish.armed) this.#publish.set(PUBLISH_PERIOD);
  }

  #maybePublish(): void {
    const now = this.#context.now();
    const quiet = now - this.#lastChange >= QUIET_PERIOD;
    if (quiet || now - this.#lastPublished >= LONGEST_WAIT) {
      const partitions = [...this.#changed.values()];
      this.#changed = new Map();
      this.#lastPublished = now;
      this.#context.spawn("ISR notification", this.#notify(partitions));
    } else this.#publish.set(PUBLISH_PERIOD);
  }

  /** Without a session nobody is told; the next change brings another notification. */
  *#notify(partitions: readonly TopicPartition[]): Flow<void> {
    yield* this.#store.access.request({
      op: "create",
      path: `${ISR_CHANGES}/${ISR_CHANGE_PREFIX}`,
      data: encodeIsrChange(partitions),
      mode: "persistentSequential",
    });
  }
}
