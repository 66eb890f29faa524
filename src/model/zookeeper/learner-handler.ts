/**
 * The leader's side of the connection to one follower: what it has said, and when it was last heard.
 *
 * Holds state, dispatches and sends; what counts as a quorum and what follows is the leader's matter.
 */
import type { CloseReason, Connection, ConnectionHandler, Micros } from "../../sim/index.ts";
import type { Database } from "./database.ts";
import type { FollowerMessage, QuorumMessage, WriteRequest } from "./quorum-messages.ts";
import { planSynchronization } from "./synchronization.ts";
import type { Zxid } from "./txn.ts";

/** The leader, as its connections see it. */
export interface LearnerMaster {
  now(): Micros;
  followerInfo(handler: LearnerHandler, acceptedEpoch: number): void;
  ackEpoch(handler: LearnerHandler, currentEpoch: number): void;
  ackNewLeader(handler: LearnerHandler): void;
  ack(handler: LearnerHandler): void;
  pong(sessions: readonly number[]): void;
  forwarded(handler: LearnerHandler, request: WriteRequest): void;
  syncRequested(handler: LearnerHandler, session: number, cxid: number): void;
  revalidateFor(handler: LearnerHandler, session: number): void;
  lost(handler: LearnerHandler): void;
  failed(error: unknown): void;
}

export class LearnerHandler implements ConnectionHandler<QuorumMessage> {
  readonly #master: LearnerMaster;
  readonly connection: Connection<QuorumMessage>;
  /** 0 until FOLLOWERINFO. */
  server = 0;
  lastZxid: Zxid = 0;
  snapshotNeeded = false;
  /** ACKEPOCH has come: it may be synchronised once the epoch is established. */
  acknowledgedEpoch = false;
  /** Receives proposals and commits: the synchronisation was sent. */
  forwarding = false;
  /** NEWLEADER was acknowledged. */
  synced = false;
  /** All transactions up to this one are on the follower's disk. */
  acked: Zxid = 0;
  lastHeard: Micros;
  /** Oldest proposal sent whose acknowledgement is awaited; 0 when none is. */
  awaited: Zxid = 0;
  awaitedSince: Micros = 0;
  /** Last proposal sent. */
  proposed: Zxid = 0;

  constructor(master: LearnerMaster, connection: Connection<QuorumMessage>) {
    this.#master = master;
    this.connection = connection;
    this.lastHeard = master.now();
  }

  /** Sends what the follower lacks of the committed history [ZAB-21]. */
  sendHistory(database: Database): void {
    const { connection } = this;
    const history = database.committedHistory();
    const plan = this.snapshotNeeded ? null : planSynchronization(history, this.lastZxid);
    if (plan === null || plan.kind === "SNAP") {
      connection.send({ type: "snap", snapshot: database.snapshot() });
      return;
    }
    if (plan.kind === "DIFF") connection.send({ type: "diff" });
    else connection.send({ type: "trunc", zxid: plan.to });
    for (let position = plan.from; position < history.appliedPosition; position++) {
      const { record } = history.log.get(position);
      connection.send({ type: "proposal", record });
      connection.send({ type: "commit", zxid: record.zxid });
    }
  }

  /** Sends a proposal and notes since when its acknowledgement is awaited. */
  propose(message: QuorumMessage & { readonly type: "proposal" }): void {
    this.connection.send(message);
    this.proposed = message.record.zxid;
    if (this.awaited !== 0) return;
    this.awaited = this.proposed;
    this.awaitedSince = this.#master.now();
  }

  onMessage(_connection: Connection<QuorumMessage>, message: QuorumMessage): void {
    this.lastHeard = this.#master.now();
    try {
      this.#dispatch(message as FollowerMessage);
    } catch (error) {
      this.#master.failed(error);
    }
  }

  #dispatch(message: FollowerMessage): void {
    switch (message.type) {
      case "ack":
        if (message.zxid > this.acked) this.acked = message.zxid;
        if (this.awaited !== 0 && this.acked >= this.awaited) {
          this.awaited = this.acked < this.proposed ? this.proposed : 0;
          this.awaitedSince = this.lastHeard;
        }
        this.#master.ack(this);
        return;
      case "pong":
        this.#master.pong(message.sessions);
        return;
      case "request":
        this.#master.forwarded(this, message.request);
        return;
      case "syncRequest":
        this.#master.syncRequested(this, message.session, message.cxid);
        return;
      case "revalidate":
        this.#master.revalidateFor(this, message.session);
        return;
      case "followerInfo":
        this.server = message.server;
        this.#master.followerInfo(this, message.acceptedEpoch);
        return;
      case "ackEpoch":
        this.lastZxid = message.lastZxid;
        this.snapshotNeeded = message.snapshotNeeded;
        this.acknowledgedEpoch = true;
        this.#master.ackEpoch(this, message.currentEpoch);
        return;
      case "ackNewLeader":
        this.#master.ackNewLeader(this);
        return;
    }
  }

  onClose(_connection: Connection<QuorumMessage>, _reason: CloseReason): void {
    this.#master.lost(this);
  }
}
