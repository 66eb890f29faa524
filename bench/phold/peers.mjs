/**
 * PHOLD (see model.ts) on schedulers from npm, one measurement per process:
 * `node peers.mjs <variant> <table file> <pending> <warm-up events> <events> <timeout>` prints a line
 * of JSON. Variants: simjs and fake-timers, each also as -cancel with a timeout reset per event
 * (simjs marks a cancelled request and drops it when it is due, fake-timers removes it).
 * The packages are looked for in the folder PHOLD_PEERS (its node_modules), else in the project's
 * node_modules/.phold, where setup.sh puts them.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder =
  process.env.PHOLD_PEERS ?? fileURLToPath(new URL("../../node_modules/.phold", import.meta.url));
const require = createRequire(`${folder}/package.json`);

const [variant, tableFile, ...numbers] = process.argv.slice(2);
const [pending, warmUp, events, timeout] = numbers.map(Number);
const delays = Int32Array.from(readFileSync(tableFile, "utf8").trim().split("\n"), Number);

const PROCESSES = 1024;
let random = 0x2545f491;
let hash = 0;
const handled = new Int32Array(PROCESSES);

function draw() {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return random;
}

function mix(value) {
  const mixed = Math.imul(hash ^ value, 0x01000193);
  hash = mixed ^ (mixed >>> 15);
}

let total = 0;
let warmHash = 0;
let before;
let used;
/** Counts an event; `used` is set when the measurement is over. */
function count() {
  total++;
  if (total === warmUp) {
    warmHash = hash >>> 0;
    before = process.cpuUsage();
  }
  if (total === warmUp + events) used = process.cpuUsage(before);
}

function handle(now, arg) {
  mix(now | 0);
  handled[arg & (PROCESSES - 1)] += 1 + (arg >>> 10);
  mix(arg);
}

if (variant.startsWith("simjs")) {
  const cancels = variant === "simjs-cancel";
  // The package's bundle is for browsers: it puts Sim on the global window.
  globalThis.window = globalThis;
  const exported = require("simjs");
  const Sim = globalThis.Sim ?? exported.Sim ?? exported;
  class Model extends Sim.Entity {
    start() {
      this.timers = [];
      for (let index = 0; index < pending; index++) this.schedule();
      if (cancels) for (let index = 0; index < PROCESSES; index++) this.startTimer(index);
    }
    startTimer(index) {
      const request = this.setTimer(timeout);
      request.done(this.expire, this, index);
      this.timers[index] = request;
    }
    // simjs passes no argument where the argument is 0.
    expire(index = 0) {
      mix(this.time() | 0);
      mix(4096 + index);
      count();
      this.startTimer(index);
    }
    schedule() {
      const delay = delays[draw() >>> 20];
      this.setTimer(delay).done(this.fire, this, draw() & 4095);
    }
    fire(arg = 0) {
      handle(this.time(), arg);
      count();
      if (cancels) {
        this.timers[arg & (PROCESSES - 1)].cancel();
        this.startTimer(arg & (PROCESSES - 1));
      }
      this.schedule();
    }
  }
  const simulation = new Sim.Sim();
  simulation.addEntity(Model);
  while (used === undefined) simulation.step();
} else {
  const clock = require("@sinonjs/fake-timers").createClock(0, Number.MAX_SAFE_INTEGER);
  const timers = [];
  const setTimer = (index) => {
    timers[index] = clock.setTimeout(expire, timeout, index);
  };
  const expire = (index) => {
    mix(clock.now | 0);
    mix(4096 + index);
    count();
    setTimer(index);
  };
  const schedule = () => {
    const delay = delays[draw() >>> 20];
    clock.setTimeout(fire, delay, draw() & 4095);
  };
  const fire = (arg) => {
    handle(clock.now, arg);
    count();
    if (variant === "fake-timers-cancel") {
      clock.clearTimeout(timers[arg & (PROCESSES - 1)]);
      setTimer(arg & (PROCESSES - 1));
    }
    schedule();
  };
  for (let index = 0; index < pending; index++) schedule();
  if (variant === "fake-timers-cancel") {
    for (let index = 0; index < PROCESSES; index++) setTimer(index);
  }
  while (used === undefined) clock.next();
}
const seconds = (used.user + used.system) / 1e6;
console.log(JSON.stringify({ eventsPerSecond: events / seconds, hash: warmHash }));
