/**
 * The leading role: discovery [ZAB-10] to [ZAB-13], synchronisation of followers [ZAB-20] to [ZAB-23],
 * then broadcast [ZAB-30] to [ZAB-33] with sessions and pings.
 *
 * Invariants: proposals are appended to the own log in the order in which they are sent; transactions
 * are committed in that order, each when a quorum has it on disk; `#outstanding` are exactly the logged
 * and not committed ones.
 */
import { type Connection, MILLISECOND, type Micros, type Timer } from "../../sim/index.ts";
import { LearnerHandler, type LearnerMaster } from "./learner-handler.ts";
import { RequestPreparation } from "./preparation.ts";
import { QUORUM_SERVICE, type QuorumMessage, type WriteRequest } from "./quorum-messages.ts";
import { isQuorum, type QuorumPeer, type Role } from "./quorum-peer.ts";
import { SessionTracker } from "./sessions.ts";
import { stateFact } from "./state-fact.ts";
import { counterOf, epochOf, makeZxid, type Zxid } from "./txn.ts";
import { makeRecord, type TxnRecord } from "./txn-record.ts";

/** A sync that waits for the proposal in front of it [ZOP-7]; `handler` null: an own client's. */
interface PendingSync {
  readonly handler: LearnerHandler | null;
  readonly session: number;
  readonly cxid: number;
}

interface Outstanding {
  readonly record: TxnRecord;
  syncs: PendingSync[] | null;
}

type Phase = "discovery" | "synchronization" | "broadcast" | "over";

const PING: QuorumMessage = Object.freeze({ type: "ping" });

export class Leader implements Role, LearnerMaster {
  readonly state = "LEADING";
  readonly #peer: QuorumPeer;
  #phase: Phase = "discovery";
  readonly #handlers: LearnerHandler[] = [];
  /** Highest accepted epoch reported by each server, this one included [ZAB-10]. */
  readonly #infos = new Map<number, number>();
  readonly #epochAcks = new Set<number>();
  readonly #newLeaderAcks = new Set<number>();
  #epoch = 0;
  #lastProposed: Zxid = 0;
  readonly #outstanding: Outstanding[] = [];
  readonly #sessions: SessionTracker;
  #preparation: RequestPreparation | null = null;
  /** Ends discovery and synchronisation after initLimit ticks. */
  readonly #initTimer: Timer;
  readonly #pingTimer: Timer;
  readonly #expiryTimer: Timer;
  #fullTick = false;

  constructor(peer: QuorumPeer) {
    this.#peer = peer;
    const { context, config, switches } = peer;
    this.#sessions = new SessionTracker(config.tickTime, switches["zookeeper-expires-early"]);
    this.#initTimer = context.timer(() => this.#giveUp());
    this.#pingTimer = context.timer(() => this.#halfTick());
    this.#expiryTimer = context.timer(() => this.#expireSessions());
  }

  get isServing(): boolean {
    return this.#phase === "broadcast";
  }

  get epoch(): number {
    return this.#epoch;
  }

  now(): Micros {
    return this.#peer.context.now();
  }

  start(): void {
    const { context, database, id } = this.#peer;
    context.listen(QUORUM_SERVICE, (connection: Connection<QuorumMessage>) => {
      const handler = new LearnerHandler(this, connection);
      this.#handlers.push(handler);
      return handler;
    });
    database.log.onSynced = () => this.#logSynced();
    this.#armInitLimit();
    this.#epochReported(id, database.acceptedEpoch);
  }

  stop(): void {
    this.#phase = "over";
    this.#peer.context.unlisten(QUORUM_SERVICE);
    this.#peer.database.log.detach();
    this.#initTimer.cancel();
    this.#pingTimer.cancel();
    this.#expiryTimer.cancel();
    for (const handler of this.#handlers) handler.connection.close();
    this.#handlers.length = 0;
  }

  #giveUp(): void {
    if (this.#phase !== "over") this.#peer.look();
  }

  failed(error: unknown): void {
    this.#peer.failed(error);
  }

  #armInitLimit(): void {
    const { initLimit, tickTime } = this.#peer.config;
    this.#initTimer.set(initLimit * tickTime * MILLISECOND);
  }

  // --- discovery --------------------------------------------------------------------------------

  followerInfo(handler: LearnerHandler, acceptedEpoch: number): void {
    for (const other of [...this.#handlers]) {
      // A new connection of the same server: the old one is of a former attempt.
      if (other !== handler && other.server === handler.server) this.#drop(other);
    }
    if (this.#epoch > 0) handler.connection.send({ type: "leaderInfo", epoch: this.#epoch });
    else this.#epochReported(handler.server, acceptedEpoch);
  }

  #epochReported(server: number, acceptedEpoch: number): void {
    this.#infos.set(server, acceptedEpoch);
    const { database, ensemble, id, switches } = this.#peer;
    if (!this.#infos.has(id) || !isQuorum(this.#infos.size, ensemble.length)) return;
    let highest = 0;
    for (const accepted of this.#infos.values()) if (accepted > highest) highest = accepted;
    this.#epoch = switches["zookeeper-epoch-not-raised"] ? Math.max(1, highest) : highest + 1;
    database.acceptedEpoch = this.#epoch;
    this.#armInitLimit();
    for (const handler of this.#handlers) {
      if (handler.server === 0) continue;
      handler.connection.send({ type: "leaderInfo", epoch: this.#epoch });
    }
    this.#epochAcknowledged(id);
  }

  ackEpoch(handler: LearnerHandler, currentEpoch: number): void {
    if (this.#phase !== "discovery") {
      this.#synchronize(handler);
      return;
    }
    if (currentEpoch === -1) return;
    const { database } = this.#peer;
    const newer =
      currentEpoch > database.currentEpoch ||
      (currentEpoch === database.currentEpoch && handler.lastZxid > database.lastProcessedZxid);
    // [ZAB-12]; a variant that elects the wrong leader must not be saved here.
    if (newer && !this.#peer.switches["zookeeper-vote-ignores-zxid"]) this.#giveUp();
    else this.#epochAcknowledged(handler.server);
  }

  #epochAcknowledged(server: number): void {
    this.#epochAcks.add(server);
    const { database, ensemble } = this.#peer;
    if (this.#phase !== "discovery" || !isQuorum(this.#epochAcks.size, ensemble.length)) return;
    // The epoch must not outlive a power failure that the history on which it rests does not.
    database.log.whenDurable(() => this.#establish());
  }

  #establish(): void {
    if (this.#phase !== "discovery") return;
    const { context, database, id: server, ensemble, switches } = this.#peer;
    const epoch = this.#epoch;
    this.#phase = "synchronization";
    database.currentEpoch = epoch;
    const last = database.lastProcessedZxid;
    const continued = switches["zookeeper-epoch-not-raised"] && epochOf(last) === epoch;
    this.#lastProposed = makeZxid(epoch, continued ? counterOf(last) : 0);
    const prefixHash = database.lastLoggedHash;
    stateFact(context, { kind: "ZkEpochEstablished", server, epoch, lastZxid: last, prefixHash });
    this.#armInitLimit();
    for (const handler of [...this.#handlers]) {
      if (handler.acknowledgedEpoch) this.#synchronize(handler);
    }
    this.#newLeaderAcks.add(server);
    if (isQuorum(1, ensemble.length) || switches["zookeeper-serves-before-quorum"]) this.#serve();
  }

  // --- synchronisation ----------------------------------------------------------------------------

  /** Brings the follower to this leader's history; from here on it hears of all that happens. */
  #synchronize(handler: LearnerHandler): void {
    handler.sendHistory(this.#peer.database);
    for (const { record } of this.#outstanding) handler.propose({ type: "proposal", record });
    handler.forwarding = true;
    handler.connection.send({ type: "newLeader", epoch: this.#epoch });
  }

  ackNewLeader(handler: LearnerHandler): void {
    handler.synced = true;
    if (this.#phase === "broadcast") {
      handler.connection.send({ type: "upToDate" });
      return;
    }
    this.#newLeaderAcks.add(handler.server);
    if (this.#phase !== "synchronization") return;
    if (isQuorum(this.#newLeaderAcks.size, this.#peer.ensemble.length)) this.#serve();
  }

  /** A quorum has this leader's history: it is committed [ZAB-23]. */
  #serve(): void {
    const { context, config, database, id: server, switches } = this.#peer;
    const epoch = this.#epoch;
    this.#phase = "broadcast";
    this.#initTimer.cancel();
    const now = context.now();
    for (const [session, timeoutMs] of database.tree.sessions) {
      if (switches["zookeeper-sessions-forgotten"]) break;
      this.#sessions.track(session, timeoutMs, null, now);
    }
    const survive = switches["zookeeper-ephemerals-survive"];
    this.#preparation = new RequestPreparation(database.tree, this.#sessions, survive);
    const lastZxid = database.lastProcessedZxid;
    const prefixHash = database.lastLoggedHash;
    stateFact(context, { kind: "ZkLeaderServing", server, epoch, lastZxid, prefixHash });
    database.stateAdopted();
    for (const handler of this.#handlers) {
      if (handler.synced) handler.connection.send({ type: "upToDate" });
    }
    this.#pingTimer.set(Math.floor((config.tickTime * MILLISECOND) / 2));
    this.#expiryTimer.set(this.#sessions.untilNextCheck(now));
    this.#peer.serving(epoch);
  }

  // --- broadcast --------------------------------------------------------------------------------

  submit(request: WriteRequest): void {
    this.#propose(request, this.#peer.id);
  }

  forwarded(handler: LearnerHandler, request: WriteRequest): void {
    if (this.#phase === "broadcast") this.#propose(request, handler.server);
  }

  #propose(request: WriteRequest, owner: number): void {
    const { context, database, switches } = this.#peer;
    const zxid = this.#lastProposed + 1;
    const preparation = this.#preparation as RequestPreparation;
    const txn = preparation.prepare(request, owner, context.now(), zxid);
    const record = makeRecord(zxid, context.wallMillis(), request.session, request.cxid, txn);
    this.#lastProposed = zxid;
    this.#outstanding.push({ record, syncs: null });
    database.append(record);
    const message = { type: "proposal", record } as const;
    for (const handler of this.#handlers) if (handler.forwarding) handler.propose(message);
    database.log.sync();
    if (switches["zookeeper-acknowledge-before-sync"]) this.#tryToCommit();
  }

  #logSynced(): void {
    try {
      this.#tryToCommit();
    } catch (error) {
      this.#peer.failed(error);
    }
  }

  ack(_handler: LearnerHandler): void {
    this.#tryToCommit();
  }

  /** Commits in order all that a quorum has [ZAB-31]. */
  #tryToCommit(): void {
    if (this.#phase !== "broadcast") return;
    while (this.#outstanding.length > 0) {
      const next = this.#outstanding[0] as Outstanding;
      if (!this.#isAcknowledged(next.record.zxid)) return;
      this.#outstanding.shift();
      this.#commit(next);
    }
  }

  #isAcknowledged(zxid: Zxid): boolean {
    const { database, ensemble, switches } = this.#peer;
    const own =
      switches["zookeeper-acknowledge-before-sync"] || database.log.syncedZxid >= zxid ? 1 : 0;
    if (switches["zookeeper-commit-without-quorum"]) return own === 1;
    let count = own;
    for (const handler of this.#handlers) if (handler.acked >= zxid) count++;
    return isQuorum(count, ensemble.length);
  }

  #commit({ record, syncs }: Outstanding): void {
    const { clients, database } = this.#peer;
    const { zxid } = record;
    const message: QuorumMessage = { type: "commit", zxid };
    for (const handler of this.#handlers) if (handler.forwarding) handler.connection.send(message);
    const result = database.commitNext(clients.watches);
    (this.#preparation as RequestPreparation).applied(zxid);
    if (record.txn.type === "closeSession") this.#sessions.remove(record.txn.session);
    clients.applied(record, result);
    if (syncs !== null) for (const sync of syncs) this.#answerSync(sync);
  }

  submitSync(session: number, cxid: number): void {
    this.#sync({ handler: null, session, cxid });
  }

  syncRequested(handler: LearnerHandler, session: number, cxid: number): void {
    if (this.#phase === "broadcast") this.#sync({ handler, session, cxid });
  }

  /** Not confirmed with a quorum: a deposed leader answers as well (gap) [ZOP-7]. */
  #sync(sync: PendingSync): void {
    const last = this.#outstanding.at(-1);
    if (last === undefined) this.#answerSync(sync);
    else if (last.syncs === null) last.syncs = [sync];
    else last.syncs.push(sync);
  }

  #answerSync({ handler, session, cxid }: PendingSync): void {
    if (handler === null) this.#peer.clients.synced(session, cxid);
    else handler.connection.send({ type: "syncReply", session, cxid });
  }

  // --- sessions -----------------------------------------------------------------------------------

  touch(session: number): void {
    this.#sessions.touch(session, this.#peer.context.now());
  }

  pong(sessions: readonly number[]): void {
    const now = this.#peer.context.now();
    for (const session of sessions) this.#sessions.touch(session, now);
  }

  revalidate(session: number): void {
    const { clients, id } = this.#peer;
    clients.revalidated(session, this.#takeOver(session, id));
  }

  revalidateFor(handler: LearnerHandler, session: number): void {
    const valid = this.#takeOver(session, handler.server);
    handler.connection.send({ type: "revalidated", session, valid });
  }

  /** A client with this session has connected to `server` [SES-5]. */
  #takeOver(session: number, server: number): boolean {
    const valid = this.#sessions.touch(session, this.#peer.context.now());
    if (valid) this.#sessions.setOwner(session, server);
    return valid;
  }

  #expireSessions(): void {
    const { context, id: server } = this.#peer;
    const now = context.now();
    this.#expiryTimer.set(this.#sessions.untilNextCheck(now));
    try {
      for (const { session, timeoutMs, sinceTouchMs } of this.#sessions.takeExpired(now)) {
        stateFact(context, { kind: "ZkSessionExpiring", server, session, timeoutMs, sinceTouchMs });
        this.#propose({ session, cxid: -1, operation: { op: "closeSession" } }, server);
      }
    } catch (error) {
      this.#peer.failed(error);
    }
  }

  // --- followers' health --------------------------------------------------------------------------

  /** Every half tick: pings; every tick: is there still a quorum? [ZAB-33] */
  #halfTick(): void {
    const { config, ensemble } = this.#peer;
    this.#pingTimer.set(Math.floor((config.tickTime * MILLISECOND) / 2));
    this.#fullTick = !this.#fullTick;
    const limit = config.syncLimit * config.tickTime * MILLISECOND;
    const initLimit = config.initLimit * config.tickTime * MILLISECOND;
    const now = this.now();
    let heard = 1;
    for (let i = this.#handlers.length - 1; i >= 0; i--) {
      const handler = this.#handlers[i] as LearnerHandler;
      const silent = now - handler.lastHeard > (handler.synced ? limit : initLimit);
      const late = handler.awaited !== 0 && now - handler.awaitedSince > limit;
      if (silent || (late && handler.synced)) this.#drop(handler);
      else if (handler.synced) heard++;
    }
    if (this.#fullTick && !isQuorum(heard, ensemble.length)) {
      this.#giveUp();
      return;
    }
    for (const handler of this.#handlers) if (handler.forwarding) handler.connection.send(PING);
  }

  #drop(handler: LearnerHandler): void {
    handler.connection.close();
    this.lost(handler);
  }

  lost(handler: LearnerHandler): void {
    const position = this.#handlers.indexOf(handler);
    if (position >= 0) this.#handlers.splice(position, 1);
  }
}
