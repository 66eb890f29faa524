/**
 * ZooKeeper's client: one session over one connection at a time [SES-4] to [SES-7].
 *
 * It pings when idle, gives a silent server up, tries the others in a shuffled order, and takes its
 * session and its watches along. It never decides that its session has expired: only a server tells it.
 */
import {
  type CloseReason,
  Completion,
  type Connection,
  type ConnectionHandler,
  type Flow,
  MILLISECOND,
  type Micros,
  type ProcessContext,
  SECOND,
  type Timer,
} from "../../sim/index.ts";
import type {
  CreateMode,
  MultiOp,
  MultiResult,
  SessionState,
  Stat,
  Watcher,
  ZkAnswer,
  ZooKeeperClient,
  ZooKeeperClientOptions,
} from "./client-api.ts";
import {
  CLIENT_SERVICE,
  type ClientMessage,
  type ClientOperation,
  type ClientReply,
  type ConnectResponse,
  PING_CXID,
  SET_WATCHES_CXID,
} from "./client-messages.ts";
import { ClientWatchers, type WatchKind } from "./client-watchers.ts";
import { stateFact } from "./state-fact.ts";
import { ZkCode, type Zxid } from "./txn.ts";

/** A call: waiting to be sent, or sent and waiting for its reply. */
interface Call {
  readonly cxid: number;
  readonly operation: ClientOperation;
  readonly watcher: Watcher | null;
  readonly completion: Completion<ClientReply>;
}

const MAX_PING_INTERVAL = 10 * SECOND;
/** A client pauses up to this long before each attempt but the first. */
const RECONNECT_PAUSE = SECOND;

export class ZooKeeperSession implements ZooKeeperClient, ConnectionHandler<ClientMessage> {
  readonly #context: ProcessContext;
  readonly #options: ZooKeeperClientOptions;
  /** Shuffled once [SES-4]. */
  readonly #servers: readonly number[];
  #nextServer = 0;
  #state: SessionState = "connecting";
  #sessionId = 0;
  #password = 0;
  /** Negotiated once connected. */
  #timeout: Micros;
  /** Highest zxid seen in any answer: no server behind it will be accepted [SES-5]. */
  #lastZxid: Zxid = 0;
  #connection: Connection<ClientMessage> | null = null;
  #lastSent: Micros = 0;
  #lastHeard: Micros = 0;
  /** Pings and time-outs; looked at lazily. */
  readonly #timer: Timer;
  readonly #reconnectTimer: Timer;
  #lastCxid = 0;
  /** Sent, in order; replies come in the same order. */
  #sent: Call[] = [];
  /** Issued while there was no session to send on. */
  #waiting: Call[] = [];
  readonly #watchers = new ClientWatchers();
  #stateChange = new Completion<void>();

  constructor(context: ProcessContext, options: ZooKeeperClientOptions) {
    this.#context = context;
    this.#options = options;
    this.#servers = context.random.shuffle(options.servers);
    this.#timeout = options.sessionTimeoutMs * MILLISECOND;
    this.#timer = context.timer(() => this.#checkTime());
    this.#reconnectTimer = context.timer(() => this.#connect());
    this.#observeState();
    this.#connect();
  }

  get state(): SessionState {
    return this.#state;
  }

  get sessionId(): number {
    return this.#sessionId;
  }

  // --- operations ---------------------------------------------------------------------------------

  *create(
    path: string,
    data: string,
    mode: CreateMode,
  ): Flow<ZkAnswer<{ path: string | null; stat: Stat | null }>> {
    const reply = yield* this.#call({ op: "create", path, data, mode }, null).wait();
    return { code: reply.code, zxid: reply.zxid, path: reply.path, stat: reply.stat };
  }

  *delete(path: string, version: number): Flow<ZkAnswer<object>> {
    const { code, zxid } = yield* this.#call({ op: "delete", path, version }, null).wait();
    return { code, zxid };
  }

  *setData(path: string, data: string, version: number): Flow<ZkAnswer<{ stat: Stat | null }>> {
    const operation = { op: "setData", path, data, version } as const;
    const { code, zxid, stat } = yield* this.#call(operation, null).wait();
    return { code, zxid, stat };
  }

  *getData(
    path: string,
    watcher: Watcher | null = null,
  ): Flow<ZkAnswer<{ data: string | null; stat: Stat | null }>> {
    const operation = { op: "getData", path, watch: watcher !== null } as const;
    const { code, zxid, data, stat } = yield* this.#call(operation, watcher).wait();
    return { code, zxid, data, stat };
  }

  *exists(path: string, watcher: Watcher | null = null): Flow<ZkAnswer<{ stat: Stat | null }>> {
    const operation = { op: "exists", path, watch: watcher !== null } as const;
    const { code, zxid, stat } = yield* this.#call(operation, watcher).wait();
    return { code, zxid, stat };
  }

  *getChildren(
    path: string,
    watcher: Watcher | null = null,
  ): Flow<ZkAnswer<{ children: readonly string[] }>> {
    const operation = { op: "getChildren", path, watch: watcher !== null } as const;
    const { code, zxid, children } = yield* this.#call(operation, watcher).wait();
    return { code, zxid, children: children ?? [] };
  }

  *multi(ops: readonly MultiOp[]): Flow<ZkAnswer<{ results: readonly MultiResult[] }>> {
    const { code, zxid, results } = yield* this.#call({ op: "multi", ops }, null).wait();
    return { code, zxid, results: results ?? [] };
  }

  *sync(path: string): Flow<ZkAnswer<object>> {
    const { code, zxid } = yield* this.#call({ op: "sync", path }, null).wait();
    return { code, zxid };
  }

  *whenConnected(): Flow<SessionState> {
    while (this.#state === "connecting" || this.#state === "disconnected") {
      yield* this.#stateChange.wait();
    }
    return this.#state;
  }

  *close(): Flow<void> {
    if (this.#state === "connected") yield* this.#call({ op: "closeSession" }, null).wait();
    if (this.#state !== "expired" && this.#state !== "closed") this.#end("closed");
  }

  /** Issues an operation at once, in the order of the calls [ZOP-5]. */
  #call(operation: ClientOperation, watcher: Watcher | null): Completion<ClientReply> {
    const completion = new Completion<ClientReply>();
    const call: Call = { cxid: ++this.#lastCxid, operation, watcher, completion };
    if (this.#state === "expired" || this.#state === "closed") {
      completion.resolve(failure(call.cxid, ZkCode.SESSIONEXPIRED));
    } else if (this.#state === "connected") this.#send(call);
    else this.#waiting.push(call);
    return completion;
  }

  #send(call: Call): void {
    this.#sent.push(call);
    this.#lastSent = this.#context.now();
    const { cxid, operation } = call;
    this.#connection?.send({ type: "request", cxid, operation });
  }

  // --- connection ---------------------------------------------------------------------------------

  get #connectTimeout(): Micros {
    return Math.floor(this.#timeout / this.#servers.length);
  }

  get #readTimeout(): Micros {
    return Math.floor((this.#timeout * 2) / 3);
  }

  get #pingInterval(): Micros {
    return Math.min(Math.floor(this.#timeout / 3), MAX_PING_INTERVAL);
  }

  #connect(): void {
    if (this.#servers.length === 0) return;
    const server = this.#servers[this.#nextServer] as number;
    this.#nextServer = (this.#nextServer + 1) % this.#servers.length;
    this.#lastHeard = this.#context.now();
    this.#connection = this.#context.connect(server, CLIENT_SERVICE, this);
    this.#timer.set(this.#connectTimeout);
  }

  onOpen(connection: Connection<ClientMessage>): void {
    const timeoutMs = this.#options.sessionTimeoutMs;
    const session = this.#sessionId;
    const password = this.#password;
    connection.send({ type: "connect", session, password, timeoutMs, lastZxid: this.#lastZxid });
  }

  onClose(_connection: Connection<ClientMessage>, _reason: CloseReason): void {
    this.#connection = null;
    this.#lost();
  }

  /** Pings an idle connection, gives up a silent one. */
  #checkTime(): void {
    const now = this.#context.now();
    const connected = this.#state === "connected";
    const silence = now - this.#lastHeard;
    if (silence >= (connected ? this.#readTimeout : this.#connectTimeout)) {
      this.#abandon();
      return;
    }
    if (!connected) {
      this.#timer.set(this.#connectTimeout - silence);
      return;
    }
    if (now - this.#lastSent >= this.#pingInterval) {
      this.#lastSent = now;
      this.#connection?.send({ type: "request", cxid: PING_CXID, operation: { op: "ping" } });
    }
    this.#armTimer(now);
  }

  #armTimer(now: Micros): void {
    const toPing = this.#lastSent + this.#pingInterval - now;
    const toTimeout = this.#lastHeard + this.#readTimeout - now;
    this.#timer.set(Math.min(toPing, toTimeout));
  }

  #abandon(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#lost();
  }

  /** The connection is gone: what was sent has an unknown outcome [SES-7]. */
  #lost(): void {
    this.#timer.cancel();
    const sent = this.#sent;
    this.#sent = [];
    const closing = sent.some(({ operation }) => operation.op === "closeSession");
    for (const call of sent) call.completion.resolve(failure(call.cxid, ZkCode.CONNECTIONLOSS));
    if (closing) {
      this.#end("closed");
      return;
    }
    this.#reconnectTimer.set(this.#context.random.below(RECONNECT_PAUSE));
    if (this.#state === "connected") this.#become("disconnected");
  }

  // --- messages -----------------------------------------------------------------------------------

  onMessage(_connection: Connection<ClientMessage>, message: ClientMessage): void {
    this.#lastHeard = this.#context.now();
    if (message.type === "reply") this.#reply(message);
    else if (message.type === "event") this.#watchers.deliver(message.event);
    else if (message.type === "connected") this.#connected(message);
  }

  #connected({ session, password, timeoutMs }: ConnectResponse): void {
    if (session === 0) {
      this.#end("expired");
      return;
    }
    this.#sessionId = session;
    this.#password = password;
    this.#timeout = timeoutMs * MILLISECOND;
    const now = this.#context.now();
    this.#lastSent = now;
    // Watches come first, so that their events precede the answers to what has waited.
    this.#restoreWatches();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) this.#send(call);
    this.#armTimer(now);
    this.#become("connected");
  }

  #restoreWatches(): void {
    const watchers = this.#watchers;
    if (watchers.isEmpty) return;
    const operation: ClientOperation = {
      op: "setWatches",
      lastZxid: this.#lastZxid,
      data: watchers.paths("data"),
      exist: watchers.paths("exist"),
      child: watchers.paths("child"),
    };
    this.#connection?.send({ type: "request", cxid: SET_WATCHES_CXID, operation });
  }

  #reply(reply: ClientReply): void {
    const { cxid, zxid } = reply;
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    stateFact(this.#context, { kind: "ZkClientAnswer", session: this.#sessionId, zxid });
    if (cxid === PING_CXID || cxid === SET_WATCHES_CXID) return;
    const call = this.#sent[0];
    if (call === undefined || call.cxid !== cxid) {
      // Answers out of order: the real client gives the connection up.
      this.#abandon();
      return;
    }
    this.#sent.shift();
    if (call.watcher !== null) this.#register(call, reply.code, call.watcher);
    call.completion.resolve(reply);
    if (call.operation.op === "closeSession") this.#end("closed");
  }

  #register({ operation }: Call, code: ZkCode, watcher: Watcher): void {
    if (operation.op !== "getData" && operation.op !== "exists" && operation.op !== "getChildren") {
      return;
    }
    let kind: WatchKind | null = null;
    if (code === ZkCode.OK) kind = operation.op === "getChildren" ? "child" : "data";
    else if (code === ZkCode.NONODE && operation.op === "exists") kind = "exist";
    if (kind !== null) this.#watchers.add(kind, operation.path, watcher);
  }

  // --- states -------------------------------------------------------------------------------------

  #become(state: SessionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#observeState();
    const changed = this.#stateChange;
    this.#stateChange = new Completion();
    this.#options.onStateChange(state);
    changed.resolve();
  }

  #observeState(): void {
    const session = this.#sessionId;
    stateFact(this.#context, { kind: "ZkClientState", session, state: this.#state });
  }

  /** The session is over: expired by the word of a server, or closed. */
  #end(state: "expired" | "closed"): void {
    this.#timer.cancel();
    this.#reconnectTimer.cancel();
    this.#connection?.close();
    this.#connection = null;
    this.#watchers.clear();
    const calls = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const call of calls) call.completion.resolve(failure(call.cxid, ZkCode.SESSIONEXPIRED));
    this.#become(state);
  }
}

function failure(cxid: number, code: ZkCode): ClientReply {
  return {
    type: "reply",
    cxid,
    zxid: 0,
    code,
    path: null,
    data: null,
    stat: null,
    children: null,
    results: null,
  };
}
