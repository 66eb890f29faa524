/**
 * A small scripted cluster for tests of the clients: real nodes, connections and frames, no
 * replication. A test's script may answer any request in the brokers' place, late, or never.
 */
import {
  type Connection,
  type ConnectionHandler,
  MILLISECOND,
  type Observation,
  type ProcessContext,
  type SimNode,
  World,
} from "../../../sim/index.ts";
import { ErrorCode } from "../../kafka/protocol/errors.ts";
import type {
  ApiName,
  Frame,
  ProduceRequest,
  ProduceResponse,
  RequestBody,
  ResponseBody,
} from "../../kafka/protocol/messages.ts";
import { KAFKA_SERVICE } from "../../kafka/protocol/service.ts";
import type { ClusterAddresses } from "../api.ts";
import type { ClientObservation } from "../observations.ts";
import { FakeBrokerApis } from "./fake-broker-apis.ts";

/** What a script says about one request; undefined leaves it to the broker. */
export interface Reply {
  /** Answered in the broker's place; absent: the broker handles it. */
  readonly body?: ResponseBody[ApiName];
  /** Never answered; with `body` absent it is handled nevertheless. */
  readonly silent?: boolean;
  /** The connection is closed instead of an answer. */
  readonly close?: boolean;
  /** Not handled by the broker. */
  readonly ignored?: boolean;
  /** The answer is held this long; later ones on the connection wait behind it [MOD-5]. */
  readonly delayMs?: number;
}
export type Script = (
  api: ApiName,
  body: RequestBody[ApiName],
  broker: number,
) => Reply | undefined;

export interface Seen {
  readonly api: ApiName;
  readonly body: RequestBody[ApiName];
  readonly broker: number;
  readonly at: number;
}

export interface TestClient {
  readonly node: SimNode;
  readonly context: ProcessContext;
  /** Runs `action` as a turn of the client's process. */
  do<T>(action: () => T): T;
}

export class FakeCluster extends FakeBrokerApis {
  readonly world: World;
  readonly brokers: SimNode[] = [];
  /** Every request in the order of arrival. */
  readonly seen: Seen[] = [];
  readonly observations: ClientObservation[] = [];
  script: Script = () => undefined;

  constructor(
    options: { brokers?: number; topics?: { [name: string]: number }; seed?: string } = {},
  ) {
    super();
    this.world = new World({ seed: options.seed ?? "clients", checked: true });
    const count = options.brokers ?? 1;
    this.brokerCount = count;
    for (let broker = 0; broker < count; broker++) {
      const node = this.world.addNode({
        name: `broker-${broker}`,
        group: "broker",
        factory: (context) => this.#broker(context, broker),
      });
      this.brokers.push(node);
      this.world.start(node);
    }
    for (const [name, partitions] of Object.entries(options.topics ?? {})) {
      this.createTopic(name, partitions);
    }
    this.world.observers.onAny((observation: Observation) => {
      this.observations.push(observation as ClientObservation);
    });
  }

  get addresses(): ClusterAddresses {
    const ids = this.brokers.map((node) => node.id);
    return { bootstrap: ids, nodeOf: (broker) => ids[broker] };
  }

  client(name = "client"): TestClient {
    let context: ProcessContext | null = null;
    const node = this.world.addNode({
      name,
      group: "client",
      factory: (own) => {
        context = own;
        return {};
      },
    });
    this.world.start(node);
    const own = context as unknown as ProcessContext;
    return {
      node,
      context: own,
      do<T>(action: () => T): T {
        let result: T | undefined;
        own.enter(() => {
          result = action();
        });
        return result as T;
      },
    };
  }

  /** Lets virtual time pass. */
  run(ms: number): void {
    this.world.runUntil(this.world.now + ms * MILLISECOND);
  }

  requests<A extends ApiName>(api: A): RequestBody[A][] {
    return this.seen.filter((seen) => seen.api === api).map((seen) => seen.body as RequestBody[A]);
  }

  observed<K extends ClientObservation["kind"]>(
    kind: K,
  ): Extract<ClientObservation, { kind: K }>[] {
    return this.observations.filter((o) => o.kind === kind) as Extract<
      ClientObservation,
      { kind: K }
    >[];
  }

  // --- brokers ----------------------------------------------------------------------------------

  #broker(context: ProcessContext, broker: number) {
    context.listen<Frame>(KAFKA_SERVICE, () => {
      let freeAt = 0;
      const handler: ConnectionHandler<Frame> = {
        onMessage: (connection, frame) => {
          const reply = this.#handle(frame, broker);
          if (reply === null) {
            connection.close();
            return;
          }
          if (reply.body === null) return;
          const send = () => answer(connection, frame, reply.body as ResponseBody[ApiName]);
          freeAt = Math.max(freeAt, context.now() + reply.delayMs * MILLISECOND);
          if (freeAt <= context.now()) send();
          else context.after(freeAt - context.now(), send);
        },
        onClose: () => {},
      };
      return handler;
    });
    return {};
  }

  /** Null: close the connection. A null body: no answer. */
  #handle(
    frame: Frame,
    broker: number,
  ): { readonly body: ResponseBody[ApiName] | null; readonly delayMs: number } | null {
    const { api } = frame;
    const request = frame.body as RequestBody[ApiName];
    this.seen.push({ api, body: request, broker, at: this.world.now });
    const reply = this.script(api, request, broker) ?? {};
    const delayMs = reply.delayMs ?? 0;
    let body = reply.body ?? null;
    if (body === null && reply.ignored !== true) body = this.answer(api, request, broker);
    if (reply.close === true) return null;
    if (reply.silent === true || reply.ignored === true) return { body: null, delayMs };
    if (api === "Produce" && (request as ProduceRequest).acks === 0) {
      const failed = (body as ProduceResponse).responses.some((topic) =>
        topic.partitionResponses.some((partition) => partition.errorCode !== ErrorCode.NONE),
      );
      return failed ? null : { body: null, delayMs };
    }
    return { body, delayMs };
  }
}

function answer(connection: Connection<Frame>, frame: Frame, body: ResponseBody[ApiName]): void {
  const { api, correlationId } = frame;
  connection.send({ response: true, api, correlationId, clientId: "", body });
}

/** A Produce answer with the same error for every partition of the request. */
export function produceError(request: ProduceRequest, errorCode: number): ProduceResponse {
  return {
    responses: request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: 0,
        currentLeader: null,
      })),
    })),
  };
}
