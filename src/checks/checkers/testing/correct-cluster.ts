/**
 * A cluster that does everything right, as small as it can be: one log per key, on which each op
 * happens at one instant. It turns a list of commands into the history that its clients see.
 *
 * What makes histories hard to judge is all there: gaps in the offsets, aborted and indeterminate
 * sends (that landed, or did not), polls that fail and rewind, reassignments, completions that come
 * late. Tests damage the finished history.
 */

import type { MicroOp, Op, OpType, PolledRecord } from "../../history.ts";

export interface Command {
  readonly process: number;
  readonly kind: "send" | "poll" | "txn" | "assign";
  /** Of sends: a key for each record. Of assign: the new set. */
  readonly keys: readonly string[];
  /** Records to poll at most. */
  readonly pollAtMost: number;
  readonly outcome: "ok" | "fail" | "info-landed" | "info-not-landed";
  /** The completion is held back until the process needs it, or this many commands later. */
  readonly delay: number;
  /** Offsets left empty before the records, as transaction markers do. */
  readonly gap: number;
}

export const KEYS = ["orders-0", "orders-1", "audit-0"] as const;

type Completion = Omit<Op, "index" | "time">;

export function runCorrectCluster(commands: readonly Command[]): Op[] {
  const cluster = new CorrectCluster();
  for (const command of commands) cluster.run(command);
  return cluster.finish();
}

class CorrectCluster {
  readonly #history: Op[] = [];
  /** By key; a hole is an offset without a visible record. */
  readonly #logs = new Map<string, (string | null)[]>(KEYS.map((key) => [key, []]));
  readonly #assigned = new Map<number, readonly string[]>();
  /** Next offset by process and key. */
  readonly #positions = new Map<string, number>();
  readonly #open = new Map<number, { completion: Completion; due: number }>();
  #valueCounter = 0;
  #now = 0;

  run(command: Command): void {
    this.#now++;
    this.#complete(command.process);
    for (const [process, { due }] of [...this.#open]) {
      if (due <= this.#now) this.#complete(process);
    }
    const { process } = command;
    const type: OpType =
      command.outcome === "ok" ? "ok" : command.outcome === "fail" ? "fail" : "info";
    if (command.kind === "assign") {
      this.#add({ process, type: "invoke", f: "assign", value: [], keys: command.keys });
      this.#assign(process, command.keys);
      this.#add({ process, type: "ok", f: "assign", value: [], keys: command.keys });
      return;
    }
    // The poll comes first, so that the op's own sends are not there yet.
    const polled = command.kind === "send" ? [] : [this.#poll(command, type === "ok")];
    const sends = command.kind === "poll" ? [] : this.#send(command);
    const value: MicroOp[] = [...sends, ...polled];
    const f = command.kind;
    this.#add({ process, type: "invoke", f, value: value.map(asInvoked) });
    const completion = { process, type, f, value };
    this.#open.set(process, { completion, due: this.#now + command.delay });
  }

  /** Completes everything and reads everything once more. */
  finish(): Op[] {
    for (const process of [...this.#open.keys()]) this.#complete(process);
    const process = 1000;
    const value = [this.#pollFrom(process, KEYS, Infinity).microOp];
    this.#add({ process, type: "invoke", f: "poll", value: value.map(asInvoked), final: true });
    this.#add({ process, type: "ok", f: "poll", value, final: true });
    return this.#history;
  }

  #send({ keys, outcome, gap }: Command): MicroOp[] {
    return keys.map((key) => {
      const log = this.#logs.get(key)!;
      for (let empty = 0; empty < gap; empty++) log.push(null);
      const value = `v${this.#valueCounter++}`;
      const offset = log.length;
      // What did not land gives its offset to the next one; what was aborted keeps it.
      if (outcome === "fail") log.push(null);
      else if (outcome !== "info-not-landed") log.push(value);
      const told = outcome === "ok" || outcome === "fail" || this.#valueCounter % 2 === 0;
      return { f: "send", key, value, offset: told ? offset : null };
    });
  }

  #poll({ process, pollAtMost }: Command, commit: boolean): MicroOp {
    const keys = this.#assigned.get(process) ?? KEYS;
    const { microOp, positions } = this.#pollFrom(process, keys, pollAtMost);
    if (commit) {
      for (const [key, next] of positions) this.#positions.set(`${process} ${key}`, next);
    }
    return microOp;
  }

  #pollFrom(process: number, keys: readonly string[], atMost: number) {
    const records: PolledRecord[] = [];
    const positions = new Map<string, number>();
    for (const key of keys) {
      const log = this.#logs.get(key)!;
      let next = this.#positions.get(`${process} ${key}`) ?? 0;
      for (; next < log.length && records.length < atMost; next++) {
        const value = log[next];
        if (value) records.push({ key, offset: next, value });
      }
      positions.set(key, next);
    }
    return { microOp: { f: "poll", records } as const, positions };
  }

  #assign(process: number, keys: readonly string[]): void {
    this.#assigned.set(process, [...new Set(keys)]);
    for (const key of KEYS) {
      if (!keys.includes(key)) this.#positions.delete(`${process} ${key}`);
    }
  }

  #complete(process: number): void {
    const open = this.#open.get(process);
    if (open === undefined) return;
    this.#open.delete(process);
    this.#add(open.completion);
  }

  #add(op: Completion): void {
    this.#history.push({ index: this.#history.length, time: this.#now * 1000, ...op });
  }
}

function asInvoked(microOp: MicroOp): MicroOp {
  return microOp.f === "send" ? { ...microOp, offset: null } : { f: "poll", records: [] };
}
