/**
 * The following role: finds its leader, accepts its epoch and its history, then logs, acknowledges and
 * applies what it is told [ZAB-10] [ZAB-11] [ZAB-22] [ZAB-31].
 *
 * The synchronisation is staged and takes effect in one turn at NEWLEADER; the acknowledgement and the
 * current epoch follow when it is on disk, so that neither can outlive it (ZOOKEEPER-4643, 4646 and the
 * gap of 3.8.4 in [ZAB-22] are not reproduced; one variant brings the early acknowledgement back).
 */
import {
  type CloseReason,
  type Connection,
  type ConnectionHandler,
  MILLISECOND,
  type Micros,
  SECOND,
  type Timer,
} from "../../sim/index.ts";
import {
  type LeaderMessage,
  QUORUM_SERVICE,
  type QuorumMessage,
  type WriteRequest,
} from "./quorum-messages.ts";
import type { QuorumPeer, Role } from "./quorum-peer.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Zxid } from "./txn.ts";
import type { TxnRecord } from "./txn-record.ts";

const CONNECT_ATTEMPTS = 5;

/** Order matters: `syncing` before NEWLEADER, `logging` until its effects are durable. */
type Phase = "connecting" | "syncing" | "logging" | "synced" | "serving" | "over";

export class Follower implements Role, ConnectionHandler<QuorumMessage> {
  readonly state = "FOLLOWING";
  readonly #peer: QuorumPeer;
  readonly #leaderNode: number;
  #connection: Connection<QuorumMessage> | null = null;
  #attempts = 0;
  #phase: Phase = "connecting";
  #epoch = 0;
  #lastHeard: Micros = 0;
  readonly #retryTimer: Timer;
  /** Runs out when the leader is silent for too long; looked at lazily. */
  readonly #silenceTimer: Timer;
  /** An earlier TRUNC could not be done: only a snapshot helps. Handed on by the server. */
  #snapshotNeeded: boolean;
  readonly #onUnableToTruncate: () => void;
  // Staged until NEWLEADER:
  #snapshot: Snapshot | null = null;
  #truncateTo: Zxid | null = null;
  readonly #proposals: TxnRecord[] = [];
  /** Commits that came before UPTODATE; applied then [ZAB-22]. */
  readonly #earlyCommits: Zxid[] = [];
  /** Sessions heard of since the last ping, in order. */
  #touched = new Set<number>();
  /** Only for the variant that reorders commits: the one that waits to be overtaken; 0 is none. */
  #heldCommit: Zxid = 0;

  constructor(
    peer: QuorumPeer,
    leaderNode: number,
    snapshotNeeded: boolean,
    onUnableToTruncate: () => void,
  ) {
    this.#peer = peer;
    this.#leaderNode = leaderNode;
    this.#snapshotNeeded = snapshotNeeded;
    this.#onUnableToTruncate = onUnableToTruncate;
    this.#retryTimer = peer.context.timer(() => this.#connect());
    this.#silenceTimer = peer.context.timer(() => this.#checkSilence());
  }

  get isServing(): boolean {
    return this.#phase === "serving";
  }

  get epoch(): number {
    return this.#epoch;
  }

  start(): void {
    this.#lastHeard = this.#peer.context.now();
    this.#silenceTimer.set(this.#silenceLimit());
    this.#peer.database.log.onSynced = () => this.#acknowledge();
    this.#connect();
  }

  stop(): void {
    this.#phase = "over";
    this.#peer.database.log.detach();
    this.#retryTimer.cancel();
    this.#silenceTimer.cancel();
    this.#connection?.close();
    this.#connection = null;
  }

  #giveUp(): void {
    if (this.#phase !== "over") this.#peer.look();
  }

  #silenceLimit(): Micros {
    const { initLimit, syncLimit, tickTime } = this.#peer.config;
    const settled = this.#phase === "synced" || this.#phase === "serving";
    return (settled ? syncLimit : initLimit) * tickTime * MILLISECOND;
  }

  #checkSilence(): void {
    const left = this.#lastHeard + this.#silenceLimit() - this.#peer.context.now();
    if (left > 0) this.#silenceTimer.set(left);
    else this.#giveUp();
  }

  #connect(): void {
    this.#attempts++;
    this.#connection = this.#peer.context.connect(this.#leaderNode, QUORUM_SERVICE, this);
  }

  onOpen(connection: Connection<QuorumMessage>): void {
    this.#lastHeard = this.#peer.context.now();
    const { id: server, database } = this.#peer;
    const { acceptedEpoch } = database;
    connection.send({ type: "followerInfo", server, acceptedEpoch });
  }

  onClose(_connection: Connection<QuorumMessage>, reason: CloseReason): void {
    this.#connection = null;
    const retry = this.#phase === "connecting" && reason === "refused";
    if (retry && this.#attempts < CONNECT_ATTEMPTS) this.#retryTimer.set(SECOND);
    else this.#giveUp();
  }

  onMessage(_connection: Connection<QuorumMessage>, message: QuorumMessage): void {
    this.#lastHeard = this.#peer.context.now();
    try {
      this.#dispatch(message as LeaderMessage);
    } catch (error) {
      this.#peer.failed(error);
    }
  }

  #dispatch(message: LeaderMessage): void {
    switch (message.type) {
      case "proposal":
        this.#proposal(message.record);
        return;
      case "commit":
        if (this.#phase === "serving") this.#commit(message.zxid);
        else this.#earlyCommits.push(message.zxid);
        return;
      case "ping":
        this.#pong();
        return;
      case "leaderInfo":
        this.#leaderInfo(message.epoch);
        return;
      case "diff":
        return;
      case "trunc":
        this.#truncateTo = message.zxid;
        return;
      case "snap":
        this.#snapshot = message.snapshot;
        return;
      case "newLeader":
        this.#newLeader(message.epoch);
        return;
      case "upToDate":
        this.#upToDate();
        return;
      case "syncReply":
        this.#peer.clients.synced(message.session, message.cxid);
        return;
      case "revalidated":
        this.#peer.clients.revalidated(message.session, message.valid);
        return;
    }
  }

  #send(message: QuorumMessage): void {
    this.#connection?.send(message);
  }

  // --- discovery and synchronisation ----------------------------------------------------------------

  #leaderInfo(epoch: number): void {
    const { database, switches } = this.#peer;
    const accepted = database.acceptedEpoch;
    if (epoch < accepted) {
      this.#giveUp();
      return;
    }
    this.#phase = "syncing";
    this.#epoch = epoch;
    const counts = epoch > accepted || switches["zookeeper-epoch-not-raised"];
    const promises = !switches["zookeeper-epoch-promise-forgotten"];
    if (epoch > accepted && promises) database.acceptedEpoch = epoch;
    this.#send({
      type: "ackEpoch",
      currentEpoch: counts ? database.currentEpoch : -1,
      lastZxid: database.lastLoggedZxid,
      snapshotNeeded: this.#snapshotNeeded,
    });
  }

  #proposal(record: TxnRecord): void {
    const late = this.#peer.switches["zookeeper-acknowledges-unlogged-history"];
    if (this.#phase === "syncing" || (this.#phase === "synced" && late)) {
      this.#proposals.push(record);
      return;
    }
    this.#log(record);
    this.#peer.database.log.sync();
    const { switches } = this.#peer;
    if (switches["zookeeper-applies-uncommitted"] && this.isServing) this.#commit(record.zxid);
    if (this.#peer.switches["zookeeper-acknowledge-before-sync"]) {
      this.#send({ type: "ack", zxid: record.zxid });
    }
  }

  #log(record: TxnRecord): void {
    const { database, switches } = this.#peer;
    // A second copy of a proposal can only come of a message rule; the log has it already.
    const known = record.zxid <= database.lastLoggedZxid;
    if (!known || switches["zookeeper-no-truncation"]) database.append(record);
  }

  /** The whole history of the leader has come: makes it the own one. */
  #newLeader(epoch: number): void {
    const { database, switches } = this.#peer;
    if (this.#snapshot !== null) {
      database.install(this.#snapshot, switches["zookeeper-snapshot-keeps-log"]);
      this.#snapshotNeeded = false;
    } else if (this.#truncateTo !== null && !switches["zookeeper-no-truncation"]) {
      if (!database.truncate(this.#truncateTo)) {
        this.#onUnableToTruncate();
        this.#giveUp();
        return;
      }
    }
    this.#snapshot = null;
    this.#phase = "logging";
    if (switches["zookeeper-acknowledges-unlogged-history"]) {
      this.#synced(epoch);
      return;
    }
    const committed = this.#earlyCommits.at(-1) ?? 0;
    for (const record of this.#proposals) {
      if (switches["zookeeper-sync-drops-proposals"] && record.zxid > committed) continue;
      this.#log(record);
    }
    this.#proposals.length = 0;
    if (switches["zookeeper-acknowledge-before-sync"]) {
      database.log.sync();
      this.#synced(epoch);
    } else database.log.whenDurable(() => this.#synced(epoch));
  }

  #synced(epoch: number): void {
    if (this.#phase !== "logging") return;
    try {
      this.#peer.database.currentEpoch = epoch;
    } catch (error) {
      this.#peer.failed(error);
      return;
    }
    this.#phase = "synced";
    this.#send({ type: "ackNewLeader", epoch });
    this.#silenceTimer.set(this.#silenceLimit());
    this.#acknowledge();
  }

  /** What the disk has made durable is acknowledged: once for all of it [ZAB-31]. */
  #acknowledge(): void {
    if (this.#phase !== "synced" && this.#phase !== "serving") return;
    if (this.#peer.switches["zookeeper-acknowledge-before-sync"]) return;
    const zxid = this.#peer.database.log.syncedZxid;
    if (zxid > 0) this.#send({ type: "ack", zxid });
  }

  #upToDate(): void {
    this.#phase = "serving";
    const { database } = this.#peer;
    // Only with a variant is there anything left to log.
    for (const record of this.#proposals) this.#log(record);
    this.#proposals.length = 0;
    database.stateAdopted();
    for (const zxid of this.#earlyCommits) this.#commit(zxid);
    this.#earlyCommits.length = 0;
    if (this.#phase === "serving") this.#peer.serving(this.#epoch);
  }

  // --- broadcast --------------------------------------------------------------------------------

  #commit(zxid: Zxid): void {
    const { database, switches } = this.#peer;
    if (switches["zookeeper-reordered-commit"] && this.#reorder(zxid)) return;
    const next = database.nextToCommit;
    if (next === null || next.record.zxid !== zxid) {
      // A second copy of a commit can only come of a message rule.
      if (zxid <= database.lastProcessedZxid && !switches["zookeeper-no-truncation"]) return;
      // "Committing a transaction that is not the next one pending": the real server exits.
      this.#peer.halt();
      return;
    }
    const result = database.commitNext(this.#peer.clients.watches);
    this.#peer.clients.applied(next.record, result);
  }

  /** The variant: a commit that has a successor in the log waits for it and is applied after it. */
  #reorder(zxid: Zxid): boolean {
    const { clients, database } = this.#peer;
    const first = database.nextToCommit;
    if (first === null) return false;
    if (this.#heldCommit === 0) {
      if (database.uncommittedCount < 2) return false;
      this.#heldCommit = zxid;
      return true;
    }
    this.#heldCommit = 0;
    const second = database.log.get(database.log.positionAfter(first.record.zxid));
    const [firstResult, secondResult] = database.commitSwapped(clients.watches);
    clients.applied(second.record, secondResult);
    clients.applied(first.record, firstResult);
    return true;
  }

  #pong(): void {
    const sessions = this.#touched.size === 0 ? [] : [...this.#touched];
    if (sessions.length > 0) this.#touched.clear();
    this.#send({ type: "pong", sessions });
  }

  // --- the server's clients ---------------------------------------------------------------------

  submit(request: WriteRequest): void {
    this.#send({ type: "request", request });
  }

  submitSync(session: number, cxid: number): void {
    this.#send({ type: "syncRequest", session, cxid });
  }

  revalidate(session: number): void {
    this.#send({ type: "revalidate", session });
  }

  touch(session: number): void {
    this.#touched.add(session);
  }
}
