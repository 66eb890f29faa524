/**
 * Observations: typed facts that the model states when its state changes.
 *
 * They feed invariants, fingerprint, log and report. The kernel knows only that an observation has a
 * kind; each floor of the model declares its own union. Listeners never change the world.
 */
import { hashString } from "./hash.ts";
import type { Micros } from "./time.ts";

export interface Observation {
  readonly kind: string;
}

/** Called synchronously; `node` is the id of the node that states the fact. */
export type ObservationListener<O extends Observation> = (
  observation: O,
  node: number,
  at: Micros,
) => void;

interface KindEntry {
  readonly id: number;
  readonly listeners: ObservationListener<Observation>[];
}

export class Observers {
  readonly #kinds = new Map<string, KindEntry>();
  readonly #all: ObservationListener<Observation>[] = [];
  /** The kind last emitted: batches, requests and polls state the same kind several times. */
  #lastKind = "";
  #lastEntry: KindEntry = { id: 0, listeners: [] };

  #entry(kind: string): KindEntry {
    let entry = this.#kinds.get(kind);
    if (entry === undefined) {
      entry = { id: hashString(kind), listeners: this.#all.slice() };
      this.#kinds.set(kind, entry);
    }
    return entry;
  }

  /** Listens to one kind. Order of delivery is order of registration. */
  on<O extends Observation>(kind: O["kind"], listener: ObservationListener<O>): void {
    this.#entry(kind).listeners.push(listener as ObservationListener<Observation>);
  }

  /** Listens to every kind, those that first occur later included. */
  onAny(listener: ObservationListener<Observation>): void {
    this.#all.push(listener);
    for (const entry of this.#kinds.values()) entry.listeners.push(listener);
  }

  /** Delivers, and returns the kind's stable number for the fingerprint. */
  emit(observation: Observation, node: number, at: Micros): number {
    const { kind } = observation;
    if (kind !== this.#lastKind) {
      this.#lastEntry = this.#kinds.get(kind) ?? this.#entry(kind);
      this.#lastKind = kind;
    }
    // Kept here: a listener may state something itself.
    const entry = this.#lastEntry;
    const { listeners } = entry;
    for (let i = 0; i < listeners.length; i++) {
      (listeners[i] as ObservationListener<Observation>)(observation, node, at);
    }
    return entry.id;
  }
}
