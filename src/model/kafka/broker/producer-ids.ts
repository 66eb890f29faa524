/**
 * Producer ids for producers without transactional id [PID-20]: a block of a thousand, and the next
 * one fetched from the controller when nine tenths are used.
 */
import { MILLISECOND, type ProcessContext } from "../../../sim/index.ts";
import { ErrorCode } from "../protocol/errors.ts";
import type { ControllerChannel } from "./controller-channel.ts";

const RETRY_DELAY = 50 * MILLISECOND;

interface Block {
  next: number;
  /** First id that is not in the block. */
  readonly end: number;
  /** Id at which the next block is asked for. */
  readonly prefetchAt: number;
}

export class ProducerIds {
  readonly #brokerId: number;
  readonly #brokerEpoch: () => number;
  readonly #controller: ControllerChannel;
  readonly #context: ProcessContext;
  #block: Block | null = null;
  #following: Block | null = null;
  #requested = false;
  /** After a failure: not asked for again before this time. */
  #notBefore = 0;

  constructor(
    context: ProcessContext,
    brokerId: number,
    brokerEpoch: () => number,
    controller: ControllerChannel,
  ) {
    this.#context = context;
    this.#brokerId = brokerId;
    this.#brokerEpoch = brokerEpoch;
    this.#controller = controller;
  }

  /** A fresh id, or null while no block is at hand. */
  next(): number | null {
    let block = this.#block;
    if (block === null || block.next >= block.end) {
      block = this.#following;
      this.#block = block;
      this.#following = null;
    }
    if (block === null) {
      this.#request();
      return null;
    }
    const id = block.next++;
    if (id >= block.prefetchAt && this.#following === null) this.#request();
    return id;
  }

  /** Asks for the following block, unless that is under way; a failure waits for the next need. */
  #request(): void {
    if (this.#requested || this.#context.now() < this.#notBefore) return;
    this.#requested = true;
    const request = { brokerId: this.#brokerId, brokerEpoch: this.#brokerEpoch() };
    this.#controller.send("AllocateProducerIds", request, (response) => {
      this.#requested = false;
      if (response === null || response.errorCode !== ErrorCode.NONE) {
        this.#notBefore = this.#context.now() + RETRY_DELAY;
        return;
      }
      const { producerIdStart: start, producerIdLen: length } = response;
      const prefetchAt = start + Math.floor((length * 9) / 10);
      this.#following = { next: start, end: start + length, prefetchAt };
    });
  }
}
