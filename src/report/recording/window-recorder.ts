/**
 * Records every message and observation around one moment: the last so many before it, some after.
 *
 * Keeps what the model states (immutable) and turns it into data only at the end. Messages are known
 * by identity: what a service sends twice as the same object arrives in the order of sending.
 */
import type { Frame } from "../../model/kafka/protocol/messages.ts";
import {
  isControlPacket,
  type MessageTap,
  type Observation,
  type Service,
  type World,
} from "../../sim/index.ts";
import { formatObservation } from "../full-log.ts";
import type { RecordedMessage, RecordedWindow } from "./format.ts";
import type { WindowLimits } from "./window-limits.ts";

class Item {
  readonly at: number;
  readonly node: number;
  /** null: a message. */
  readonly observation: Observation | null;
  readonly to: number;
  readonly service: Service<unknown> | null;
  readonly message: unknown;
  arrivedAt = -1;

  constructor(
    at: number,
    node: number,
    observation: Observation | null,
    to: number,
    service: Service<unknown> | null,
    message: unknown,
  ) {
    this.at = at;
    this.node = node;
    this.observation = observation;
    this.to = to;
    this.service = service;
    this.message = message;
  }
}

export class WindowRecorder implements MessageTap {
  readonly #world: World;
  readonly #limits: WindowLimits;
  #items: Item[] = [];
  #start = 0;
  #after = 0;
  /** Messages of the window under way, by identity. */
  readonly #underWay = new Map<unknown, Item[]>();

  constructor(world: World, limits: WindowLimits) {
    this.#world = world;
    this.#limits = limits;
    world.network.tap = this;
    world.observers.onAny((observation, node, at) => {
      if (!this.#takes(at)) return;
      this.#add(new Item(at, node, observation, -1, null, null));
    });
  }

  sent(from: number, to: number, service: Service<unknown>, message: unknown): void {
    const { now } = this.#world;
    if (!this.#takes(now) || from === to || isControlPacket(message)) return;
    const item = new Item(now, from, null, to, service, message);
    this.#add(item);
    const waiting = this.#underWay.get(message);
    if (waiting === undefined) this.#underWay.set(message, [item]);
    else waiting.push(item);
  }

  arrived(from: number, to: number, _service: Service<unknown>, message: unknown): void {
    const waiting = this.#underWay.get(message);
    if (waiting === undefined) return;
    const index = waiting.findIndex((item) => item.node === from && item.to === to);
    if (index < 0) return;
    (waiting[index] as Item).arrivedAt = this.#world.now;
    waiting.splice(index, 1);
    if (waiting.length === 0) this.#underWay.delete(message);
  }

  #takes(at: number): boolean {
    const { focus, before, after, itemsAfter } = this.#limits;
    return at >= focus - before && at <= focus + after && this.#after < itemsAfter;
  }

  #add(item: Item): void {
    this.#items.push(item);
    const { focus, itemsBefore } = this.#limits;
    if (item.at > focus) {
      this.#after++;
      return;
    }
    if (this.#items.length - this.#start <= itemsBefore) return;
    const dropped = this.#items[this.#start++] as Item;
    if (dropped.message !== null && dropped.arrivedAt < 0) this.#underWay.delete(dropped.message);
    if (this.#start < itemsBefore) return;
    this.#items = this.#items.slice(this.#start);
    this.#start = 0;
  }

  /** `partitionOf` gives the number of a partition, -1 for one that is not recorded. */
  window(partitionOf: (topic: string, partition: number) => number): RecordedWindow {
    const items = this.#items.slice(this.#start);
    const types: string[] = [];
    const typeNumbers = new Map<string, number>();
    const messages: RecordedMessage[] = [];
    const observations: RecordedWindow["observations"][number][] = [];
    for (const { at, node, observation, to, service, message, arrivedAt } of items) {
      if (observation !== null) {
        const words = formatObservation(observation).replace(/ {2,}/g, " ");
        observations.push([at, node, plain(observation, 0) as object, words]);
        continue;
      }
      const name = typeName(service as Service<unknown>, message);
      let type = typeNumbers.get(name);
      if (type === undefined) {
        type = types.length;
        types.push(name);
        typeNumbers.set(name, type);
      }
      const partitions = new Set<number>();
      if ((service as Service<unknown>).name === "kafka") {
        findPartitions((message as Frame).body, partitionOf, partitions);
      }
      messages.push([at, arrivedAt, node, to, type, [...partitions], plain(message, 0)]);
    }
    const from = items[0]?.at ?? this.#limits.focus;
    const last = items[items.length - 1]?.at ?? this.#limits.focus;
    const full = this.#after >= this.#limits.itemsAfter;
    const to = full ? last : Math.min(this.#limits.focus + this.#limits.after, this.#world.now);
    const first = this.#start > 0 ? from : Math.max(0, this.#limits.focus - this.#limits.before);
    return { from: Math.min(first, from), to: Math.max(to, last), types, messages, observations };
  }
}

/** `Fetch.request`, `proposal`, `getData.request`, `notification`. */
function typeName(service: Service<unknown>, message: unknown): string {
  return service.typeOf(message);
}

/** Topics and partitions that a body of Kafka's protocol speaks of, wherever they are in it. */
function findPartitions(
  body: unknown,
  partitionOf: (topic: string, partition: number) => number,
  found: Set<number>,
): void {
  const walk = (value: unknown, topic: string | null): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, topic);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const fields = value as { readonly [name: string]: unknown };
    const named = fields["topic"] ?? fields["topicName"] ?? fields["name"];
    const here = typeof named === "string" ? named : topic;
    const number = fields["partition"] ?? fields["partitionIndex"] ?? fields["index"];
    if (here !== null && typeof number === "number") {
      const partition = partitionOf(here, number);
      if (partition >= 0) found.add(partition);
    }
    for (const [name, inner] of Object.entries(fields)) {
      if (name !== "records" && typeof inner === "object") walk(inner, here);
    }
  };
  walk(body, null);
}

const ITEMS_MAX = 40;
const DEPTH_MAX = 9;

/** Plain data for JSON; long lists are cut with a word about it. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_MAX) return "...";
  if (value instanceof Map) return plain([...value.entries()], depth);
  if (value instanceof Set) return plain([...value], depth);
  if (Array.isArray(value)) {
    const list = value.slice(0, ITEMS_MAX).map((item) => plain(item, depth + 1));
    if (value.length > ITEMS_MAX) list.push(`... ${value.length - ITEMS_MAX} more`);
    return list;
  }
  const copy: { [name: string]: unknown } = {};
  for (const [name, inner] of Object.entries(value)) copy[name] = plain(inner, depth + 1);
  return copy;
}
