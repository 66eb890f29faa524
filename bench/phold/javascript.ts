/**
 * PHOLD on the kernel's event queue, one measurement per process:
 * `node javascript.js <variant> <table file> <pending> <warm-up events> <events> <timeout>`
 * prints one line of JSON. Variants:
 *
 * - kernel: through the whole API, dispatch by integer switch, a process object as target
 * - kernel-data: the same with a new object per event as data, as a message has
 * - kernel-cancel: each event also cancels its process's timeout and sets it anew
 * - bare: push and pop only
 * - floor: no queue at all: draws, table, hash
 */
import { readFileSync } from "node:fs";
import { EventQueue } from "../../src/sim/event-queue.ts";
import { draw, mix, PROCESSES, SEED } from "./model.ts";

const TIMEOUT_KIND = 4;

class Process {
  handled = 0;
  timer = 0.5;
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

class Message {
  readonly from: number;
  readonly value: number;

  constructor(from: number, value: number) {
    this.from = from;
    this.value = value;
  }
}

class KernelModel {
  readonly queue = new EventQueue();
  readonly processes = Array.from({ length: PROCESSES }, (_, index) => new Process(index));
  random = SEED;
  hash = 0;
  readonly delays: Int32Array;
  readonly withData: boolean;
  readonly timeout: number;

  constructor(delays: Int32Array, pending: number, withData: boolean, timeout: number) {
    this.delays = delays;
    this.withData = withData;
    this.timeout = timeout;
    for (let count = 0; count < pending; count++) this.schedule(0);
    for (const process of this.processes) {
      process.timer = timeout > 0 ? this.queue.push(timeout, TIMEOUT_KIND, 0, process, null) : 0;
    }
  }

  schedule(now: number): void {
    const first = draw(this.random);
    const second = draw(first);
    this.random = second;
    const process = this.processes[second & (PROCESSES - 1)]!;
    const data = this.withData ? new Message(first, second) : null;
    const time = now + this.delays[first >>> 20]!;
    this.queue.push(time, (second >>> 10) & 3, second & 4095, process, data);
  }

  run(events: number): void {
    const queue = this.queue;
    for (let count = 0; count < events && queue.pop(); count++) {
      this.hash = mix(this.hash, queue.time | 0);
      switch (queue.kind) {
        case 0:
          this.handleFirst(queue.target as Process, queue.arg);
          break;
        case 1:
          this.handleSecond(queue.target as Process, queue.arg);
          break;
        case 2:
          this.handleThird(queue.target as Process, queue.arg);
          break;
        case 3:
          this.handleFourth(queue.target as Process, queue.arg);
          break;
        case TIMEOUT_KIND:
          this.handleTimeout(queue.target as Process);
          break;
      }
    }
  }

  handleFirst(process: Process, arg: number): void {
    process.handled++;
    this.finish(process, arg);
  }

  handleSecond(process: Process, arg: number): void {
    process.handled += 2;
    this.finish(process, arg);
  }

  handleThird(process: Process, arg: number): void {
    process.handled += 3;
    this.finish(process, arg);
  }

  handleFourth(process: Process, arg: number): void {
    process.handled += 4;
    this.finish(process, arg);
  }

  handleTimeout(process: Process): void {
    this.hash = mix(this.hash, 4096 + process.index);
    process.timer = this.queue.push(this.queue.time + this.timeout, TIMEOUT_KIND, 0, process, null);
  }

  finish(process: Process, arg: number): void {
    this.hash = mix(this.hash, arg);
    const queue = this.queue;
    if (this.timeout > 0) {
      queue.cancel(process.timer);
      process.timer = queue.push(queue.time + this.timeout, TIMEOUT_KIND, 0, process, null);
    }
    this.schedule(queue.time);
  }
}

class BareModel {
  readonly queue = new EventQueue();
  random = SEED;
  hash = 0;
  readonly delays: Int32Array;

  constructor(delays: Int32Array, pending: number) {
    this.delays = delays;
    for (let count = 0; count < pending; count++) {
      const first = draw(this.random);
      this.random = draw(first);
      this.queue.push(delays[first >>> 20]!, 0, this.random & 4095, null, null);
    }
  }

  run(events: number): void {
    const queue = this.queue;
    const delays = this.delays;
    let random = this.random;
    let hash = this.hash;
    for (let count = 0; count < events && queue.pop(); count++) {
      const now = queue.time;
      hash = mix(mix(hash, now | 0), queue.arg);
      const first = draw(random);
      random = draw(first);
      queue.push(now + delays[first >>> 20]!, 0, random & 4095, null, null);
    }
    this.random = random;
    this.hash = hash;
  }
}

class FloorModel {
  random = SEED;
  hash = 0;
  now = 0.5;
  readonly delays: Int32Array;

  constructor(delays: Int32Array) {
    this.delays = delays;
  }

  run(events: number): void {
    for (let count = 0; count < events; count++) {
      this.hash = mix(mix(this.hash, this.now | 0), this.random & 4095);
      const first = draw(this.random);
      this.random = draw(first);
      this.now += this.delays[first >>> 20]!;
    }
  }
}

const [variant, tableFile, ...numbers] = process.argv.slice(2);
const [pending, warmUp, events, timeout] = numbers.map(Number) as [number, number, number, number];
const delays = Int32Array.from(readFileSync(tableFile!, "utf8").trim().split("\n"), Number);
const model =
  variant === "floor"
    ? new FloorModel(delays)
    : variant === "bare"
      ? new BareModel(delays, pending)
      : new KernelModel(
          delays,
          pending,
          variant === "kernel-data",
          variant === "kernel-cancel" ? timeout : 0,
        );
model.run(warmUp);
const hash = model.hash >>> 0;
const before = process.cpuUsage();
model.run(events);
const used = process.cpuUsage(before);
const eventsPerSecond = (events * 1e6) / (used.user + used.system);
console.log(JSON.stringify({ eventsPerSecond, hash }));
