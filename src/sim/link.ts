/**
 * One direction between two nodes: its latency, its bandwidth, and what is wrong with it now.
 *
 * Blocks and clogs are counted, because faults overlap: a path is free when every fault that blocked
 * it has been taken back. Invariant: `blocks >= 0` and `clogs >= 0`.
 */
import { drawLatency, type LatencyProfile } from "./latency.ts";
import type { RandomStream } from "./random.ts";
import { lossPenalty } from "./retransmission.ts";
import type { Micros } from "./time.ts";

/** A sender that holds messages back until the clog is taken away. */
export interface HeldSender {
  release(): void;
}

export class Link {
  readonly from: number;
  readonly to: number;
  readonly random: RandomStream;
  latency: LatencyProfile;
  /** Faults: packets vanish (partition). */
  blocks = 0;
  /** Faults: packets are held and later delivered (clog). */
  clogs = 0;
  /** Messages lost per thousand; each loss costs a retransmission time-out. */
  lossPerMille = 0;
  /** Added to each message while the link is slow. */
  extraLatency: LatencyProfile | null = null;
  /** 0 is unlimited. */
  bytesPerSecond = 0;
  #busyUntil: Micros = 0;
  readonly held = new Set<HeldSender>();

  constructor(from: number, to: number, random: RandomStream, latency: LatencyProfile) {
    this.from = from;
    this.to = to;
    this.random = random;
    this.latency = latency;
  }

  /** True while nothing is wrong with the path. */
  get open(): boolean {
    return this.blocks === 0 && this.clogs === 0;
  }

  unclog(): void {
    this.clogs--;
    if (this.clogs > 0) return;
    const held = [...this.held];
    this.held.clear();
    for (const sender of held) sender.release();
  }

  /** Time that a message loses to retransmissions; -1 when the connection breaks of it. */
  drawLossPenalty(): Micros {
    return lossPenalty(() => this.random.chance(this.lossPerMille, 1000));
  }

  /** Draws the time of arrival of a message that leaves at `now`; `bytes` matter with a bandwidth. */
  arrival(now: Micros, bytes: number): Micros {
    let departure = now;
    if (this.bytesPerSecond > 0) {
      const transmission = Math.floor((bytes * 1_000_000) / this.bytesPerSecond);
      departure = Math.max(now, this.#busyUntil) + transmission;
      this.#busyUntil = departure;
    }
    let delay = drawLatency(this.latency, this.random);
    if (this.extraLatency !== null) delay += drawLatency(this.extraLatency, this.random);
    return departure + delay;
  }
}
