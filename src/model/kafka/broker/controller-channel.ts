/** A broker's requests to the active controller, found through the metadata cache [App. D]. */
import type { ProcessContext } from "../../../sim/index.ts";
import type { BrokerChannel } from "../contracts.ts";
import type { ApiName, RequestBody, ResponseBody } from "../protocol/messages.ts";
import type { MetadataCache } from "./metadata-cache.ts";

export class ControllerChannel {
  readonly #context: ProcessContext;
  readonly #metadata: MetadataCache;
  readonly #channelTo: (broker: number) => BrokerChannel;
  readonly #timeoutMs: number;
  /** By broker id: every broker that was controller once. */
  readonly #channels = new Map<number, BrokerChannel>();

  constructor(
    context: ProcessContext,
    metadata: MetadataCache,
    channelTo: (broker: number) => BrokerChannel,
    timeoutMs: number,
  ) {
    this.#context = context;
    this.#metadata = metadata;
    this.#channelTo = channelTo;
    this.#timeoutMs = timeoutMs;
  }

  /** null: no controller is known, or no answer came. The caller decides about another attempt. */
  send<A extends ApiName>(
    api: A,
    body: RequestBody[A],
    answered: (response: ResponseBody[A] | null) => void,
  ): void {
    const channel = this.#toController();
    if (channel === null) this.#context.after(0, () => answered(null));
    else channel.send(api, body, this.#timeoutMs, answered);
  }

  #toController(): BrokerChannel | null {
    const { controllerId } = this.#metadata;
    if (controllerId < 0) return null;
    let channel = this.#channels.get(controllerId);
    if (channel === undefined) {
      channel = this.#channelTo(controllerId);
      this.#channels.set(controllerId, channel);
    }
    return channel;
  }
}
