/**
 * The network: links between nodes, made when first used, and who answers at which node.
 *
 * Latency is drawn per message from the stream of its direction. A node's path to itself is a
 * loopback: fast, and never partitioned.
 */
import type { Acceptor, EndpointNetwork, MessageTap, NetworkProcess } from "./connection.ts";
import type { Kernel } from "./kernel.ts";
import type { LatencyProfile } from "./latency.ts";
import { Link } from "./link.ts";
import type { ActiveRule } from "./message-rule.ts";
import type { RandomStream } from "./random.ts";

/** Half a millisecond in one data centre. */
export const DATA_CENTRE_LATENCY: LatencyProfile = { minimum: 150, tail: 250 };
const LOOPBACK_LATENCY: LatencyProfile = { minimum: 20, tail: 0 };

/** Who runs at a node, as the network sees it. */
export interface NodeDirectory {
  isPowered(node: number): boolean;
  processAt(node: number): NetworkProcess | null;
}

export class Network implements EndpointNetwork {
  readonly rules: ActiveRule[] = [];
  tap: MessageTap | null = null;
  readonly ruleRandom: RandomStream;
  readonly #kernel: Kernel;
  readonly #directory: NodeDirectory;
  readonly #latency: LatencyProfile;
  readonly #links = new Map<number, Link>();

  constructor(kernel: Kernel, directory: NodeDirectory, latency: LatencyProfile) {
    this.#kernel = kernel;
    this.#directory = directory;
    this.#latency = latency;
    this.ruleRandom = kernel.random.stream("network/rules");
  }

  /** The direction from one node to another. */
  link(from: number, to: number): Link {
    const key = from * 65536 + to;
    let link = this.#links.get(key);
    if (link === undefined) {
      const random = this.#kernel.random.stream(`network/${from}>${to}`);
      link = new Link(from, to, random, from === to ? LOOPBACK_LATENCY : this.#latency);
      this.#links.set(key, link);
    }
    return link;
  }

  /** Packets from one node to another vanish until `unblock`. Counted; loopback is never blocked. */
  block(from: number, to: number): void {
    if (from !== to) this.link(from, to).blocks++;
  }

  unblock(from: number, to: number): void {
    if (from === to) return;
    const link = this.link(from, to);
    if (link.blocks <= 0) throw new Error(`unblock ${from}>${to} without block`);
    link.blocks--;
  }

  /** Packets are held until `unclog`, then delivered. Counted. */
  clog(from: number, to: number): void {
    if (from !== to) this.link(from, to).clogs++;
  }

  unclog(from: number, to: number): void {
    if (from === to) return;
    const link = this.link(from, to);
    if (link.clogs <= 0) throw new Error(`unclog ${from}>${to} without clog`);
    link.unclog();
  }

  isPowered(node: number): boolean {
    return this.#directory.isPowered(node);
  }

  processAt(node: number): NetworkProcess | null {
    return this.#directory.processAt(node);
  }

  acceptorAt(node: number, service: string): Acceptor<unknown> | undefined {
    return this.#directory.processAt(node)?.acceptorOf(service);
  }
}
