/** How the replica managers of a test reach each other: real connections, a minimal server. */
import type { CloseReason, Connection, ProcessContext } from "../../../../sim/index.ts";
import type { BrokerChannel } from "../../contracts.ts";
import type {
  ApiName,
  FetchRequest,
  Frame,
  RequestBody,
  ResponseBody,
} from "../../protocol/messages.ts";
import { KAFKA_SERVICE } from "../../protocol/service.ts";
import type { ReplicaManager } from "../replica-manager.ts";

/** Answers requests of followers, one at a time per connection [MOD-5]. */
export function serve(manager: ReplicaManager) {
  const queue: Frame[] = [];
  let busy = false;
  const next = (connection: Connection<Frame>) => {
    while (!busy) {
      const frame = queue.shift();
      if (frame === undefined) return;
      const { api, correlationId } = frame;
      const respond = (body: ResponseBody[ApiName]) => {
        busy = false;
        connection.send({ response: true, api, correlationId, clientId: "", body });
      };
      busy = true;
      if (api === "Fetch") {
        manager.fetch(frame.body as FetchRequest, (body) => {
          respond(body);
          next(connection);
        });
      } else if (api === "ListOffsets") {
        respond(manager.listOffsets(frame.body as RequestBody["ListOffsets"]));
      } else {
        const body = frame.body as RequestBody["OffsetForLeaderEpoch"];
        respond(manager.offsetForLeaderEpoch(body));
      }
    }
  };
  return {
    onMessage(connection: Connection<Frame>, frame: Frame) {
      queue.push(frame);
      next(connection);
    },
    onClose() {},
  };
}

/** One request at a time over a real connection, made anew after a loss. */
export class TestChannel implements BrokerChannel {
  readonly #context: ProcessContext;
  readonly #node: number;
  #connection: Connection<Frame> | null = null;
  #answered: ((body: never) => void) | null = null;
  #timeout: { cancel(): void } | null = null;

  constructor(context: ProcessContext, node: number) {
    this.#context = context;
    this.#node = node;
  }

  send<A extends keyof RequestBody>(
    api: A,
    body: RequestBody[A],
    timeoutMs: number,
    answered: (response: ResponseBody[A] | null) => void,
  ): void {
    this.#connection ??= this.#context.connect(this.#node, KAFKA_SERVICE, {
      onMessage: (_: Connection<Frame>, frame: Frame) => this.#settle(frame.body),
      onClose: (_: Connection<Frame>, __: CloseReason) => {
        this.#connection = null;
        this.#settle(null);
      },
    });
    this.#answered = answered as (body: never) => void;
    this.#timeout = this.#context.after(timeoutMs * 1000, () => {
      this.#connection?.close();
      this.#connection = null;
      this.#settle(null);
    });
    this.#connection.send({ response: false, api, correlationId: 0, clientId: "", body });
  }

  #settle(body: unknown): void {
    this.#timeout?.cancel();
    const answered = this.#answered;
    this.#answered = null;
    answered?.(body as never);
  }

  close(): void {
    this.#timeout?.cancel();
    this.#answered = null;
    this.#connection?.close();
    this.#connection = null;
  }
}
