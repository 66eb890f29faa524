/**
 * A broker's access to ZooKeeper: pipelined requests repeated over connection losses [ZK-2], watch
 * handlers [ZK-5], and one session after another [ZK-6].
 *
 * Knows nothing of what the znodes mean. SESSIONEXPIRED is an answer like any other [ZK-3].
 */
import { Completion, type Flow, type ProcessContext, SECOND } from "../../../sim/index.ts";
import { ZooKeeperSession } from "../../zookeeper/client.ts";
import type {
  MultiOp,
  MultiResult,
  SessionState,
  Stat,
  WatchEvent,
  ZooKeeperClient,
} from "../../zookeeper/client-api.ts";
import { ZkCode } from "../../zookeeper/txn.ts";

export type ZkRequest =
  | MultiOp
  | { readonly op: "getData" | "exists" | "getChildren"; readonly path: string }
  | { readonly op: "multi"; readonly ops: readonly MultiOp[] };

/** One shape for all requests; what the operation does not give is null or empty. */
export interface ZkResponse {
  readonly code: ZkCode;
  readonly data: string | null;
  readonly stat: Stat | null;
  readonly children: readonly string[];
  readonly path: string | null;
  readonly results: readonly MultiResult[];
}

const BLANK: Omit<ZkResponse, "code"> = {
  data: null,
  stat: null,
  children: [],
  path: null,
  results: [],
};

/** Written out, for speed: each request of the controllers comes by here. */
function filled(answer: Pick<ZkResponse, "code"> & Partial<ZkResponse>): ZkResponse {
  return {
    code: answer.code,
    data: answer.data ?? null,
    stat: answer.stat ?? null,
    children: answer.children ?? BLANK.children,
    path: answer.path ?? null,
    results: answer.results ?? BLANK.results,
  };
}

/** Notified of a znode's creation, deletion or new content; it reads the present state itself. */
export interface NodeHandler {
  onCreated?(): void;
  onDeleted?(): void;
  onDataChanged?(): void;
}

/** What a broker does around the change from one session to the next [ZK-6]. */
export interface SessionListener {
  /** The session expired. The new one is opened when this flow has ended. */
  beforeNewSession(): Flow<void>;
  /** Requests may be issued; they wait for the connection. */
  afterNewSession(): void;
}

export interface ZooKeeperAccessOptions {
  readonly context: ProcessContext;
  readonly servers: readonly number[];
  readonly sessionTimeoutMs: number;
  readonly maxInFlight: number;
  readonly listener: SessionListener;
}

export class ZooKeeperAccess {
  readonly #context: ProcessContext;
  readonly #options: ZooKeeperAccessOptions;
  #session: ZooKeeperClient;
  /** Id of the session before the present one; 0 if there was none [ZK-11]. */
  previousSessionId = 0;
  /** Only for a variant (KAFKA-6082): what a session left undone is repeated on the next one. */
  carriesOver = false;
  #inFlight = 0;
  readonly #waiting: Completion<void>[] = [];
  readonly #nodeHandlers = new Map<string, NodeHandler>();
  readonly #childHandlers = new Map<string, () => void>();
  #closed = false;
  /** One function for all watches, so that a client can tell a watch that is already set. */
  readonly #watcher = (event: WatchEvent) => this.#notify(event);

  constructor(options: ZooKeeperAccessOptions) {
    this.#context = options.context;
    this.#options = options;
    this.#session = this.#open();
  }

  get sessionId(): number {
    return this.#session.sessionId;
  }

  get connected(): boolean {
    return this.#session.state === "connected";
  }

  #open(): ZooKeeperClient {
    const session: ZooKeeperClient = new ZooKeeperSession(this.#context, {
      servers: this.#options.servers,
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      onStateChange: (state: SessionState) => {
        if (state === "expired" && session === this.#session && !this.#closed) {
          this.#context.spawn("new ZooKeeper session", this.#renew(session));
        }
      },
    });
    return session;
  }

  *#renew(expired: ZooKeeperClient): Flow<void> {
    this.previousSessionId = expired.sessionId;
    yield* this.#options.listener.beforeNewSession();
    if (this.#closed) return;
    this.#session = this.#open();
    this.#options.listener.afterNewSession();
  }

  /** Waits until the present session is connected; false if it ended instead. */
  *whenConnected(): Flow<boolean> {
    return (yield* this.#session.whenConnected()) === "connected";
  }

  /** Closes the session in good order; its ephemeral znodes vanish. No new one is opened. */
  *close(): Flow<void> {
    this.#closed = true;
    yield* this.#session.close();
  }

  // --- requests ---------------------------------------------------------------------------------

  /** One request, repeated after each CONNECTIONLOSS until it has another outcome [ZK-2]. */
  *request(request: ZkRequest): Flow<ZkResponse> {
    for (;;) {
      const response = yield* this.#once(request);
      if (response.code !== ZkCode.CONNECTIONLOSS) return response;
      if (yield* this.#reconnected()) continue;
      if (!this.carriesOver || this.#closed) return { ...BLANK, code: ZkCode.SESSIONEXPIRED };
      yield* this.#context.sleep(SECOND);
    }
  }

  /** Several at once; the answers stand in the order of the requests. */
  *batch(requests: readonly ZkRequest[]): Flow<ZkResponse[]> {
    if (requests.length === 0) return [];
    if (requests.length === 1) return [yield* this.request(requests[0] as ZkRequest)];
    const responses = new Array<ZkResponse>(requests.length);
    let remaining = requests.map((_, index) => index);
    for (;;) {
      const runs = remaining.map((index) =>
        this.#context.spawn("ZooKeeper request", this.#once(requests[index] as ZkRequest)),
      );
      const lost: number[] = [];
      for (const [position, run] of runs.entries()) {
        const response = yield* run.done.wait();
        const index = remaining[position] as number;
        responses[index] = response;
        if (response.code === ZkCode.CONNECTIONLOSS) lost.push(index);
      }
      if (lost.length === 0) return responses;
      if (this.carriesOver) {
        for (const index of lost)
          responses[index] = yield* this.request(requests[index] as ZkRequest);
        return responses;
      }
      if (!(yield* this.#reconnected())) {
        for (const index of lost) responses[index] = { ...BLANK, code: ZkCode.SESSIONEXPIRED };
        return responses;
      }
      remaining = lost;
    }
  }

  *#reconnected(): Flow<boolean> {
    return (yield* this.#session.whenConnected()) === "connected";
  }

  /** Takes one of the places in flight, in order of arrival. */
  *#once(request: ZkRequest): Flow<ZkResponse> {
    if (this.#inFlight >= this.#options.maxInFlight) {
      const turn = new Completion<void>();
      this.#waiting.push(turn);
      yield* turn.wait();
    } else this.#inFlight++;
    const response = yield* this.#execute(request);
    const next = this.#waiting.shift();
    if (next !== undefined) next.resolve();
    else this.#inFlight--;
    return response;
  }

  *#execute(request: ZkRequest): Flow<ZkResponse> {
    const session = this.#session;
    switch (request.op) {
      case "getData": {
        const watcher = this.#nodeHandlers.has(request.path) ? this.#watcher : undefined;
        return filled(yield* session.getData(request.path, watcher));
      }
      case "exists": {
        const watcher = this.#nodeHandlers.has(request.path) ? this.#watcher : undefined;
        return filled(yield* session.exists(request.path, watcher));
      }
      case "getChildren": {
        const watcher = this.#childHandlers.has(request.path) ? this.#watcher : undefined;
        return filled(yield* session.getChildren(request.path, watcher));
      }
      case "create":
        return filled(yield* session.create(request.path, request.data, request.mode));
      case "setData":
        return filled(yield* session.setData(request.path, request.data, request.version));
      case "delete":
        return filled(yield* session.delete(request.path, request.version));
      case "multi":
        return filled(yield* session.multi(request.ops));
      case "check":
        throw new Error("a check stands in a multi only");
    }
  }

  // --- watches ----------------------------------------------------------------------------------

  /** From now on reads of `path` leave a data watch [ZK-5]. Registering does not read. */
  registerNodeHandler(path: string, handler: NodeHandler): void {
    this.#nodeHandlers.set(path, handler);
  }

  registerChildHandler(path: string, onChange: () => void): void {
    this.#childHandlers.set(path, onChange);
  }

  unregisterNodeHandler(path: string): void {
    this.#nodeHandlers.delete(path);
  }

  unregisterChildHandler(path: string): void {
    this.#childHandlers.delete(path);
  }

  #notify(event: WatchEvent): void {
    if (event.type === "NodeChildrenChanged") {
      this.#childHandlers.get(event.path)?.();
      return;
    }
    const handler = this.#nodeHandlers.get(event.path);
    if (handler === undefined) return;
    if (event.type === "NodeCreated") handler.onCreated?.();
    else if (event.type === "NodeDeleted") handler.onDeleted?.();
    else handler.onDataChanged?.();
  }
}

/** Pause between attempts at start-up and registration. */
export const ZOOKEEPER_RETRY_DELAY = SECOND;

/** The code that decided about a multi: of its first failed operation, or of the whole [ZOP-4]. */
export function multiCode(response: ZkResponse): ZkCode {
  for (const { code } of response.results) {
    if (code !== ZkCode.OK && code !== ZkCode.RUNTIMEINCONSISTENCY) return code;
  }
  return response.code;
}
