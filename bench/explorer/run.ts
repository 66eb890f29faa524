/**
 * The exhaustive explorer's speed: distinct states per second, by the modules' decisions and by the
 * model's. Run it with `npm run bench -- explorer`; medians over rounds, wall time of one thread.
 */
import { explore } from "../../src/explorer/explore.ts";
import { MODEL } from "../../src/explorer/model-protocols.ts";
import { MODULES } from "../../src/explorer/module-protocols.ts";
import type { Protocol } from "../../src/explorer/protocol.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const SIZES = { replicas: 3, logSize: 2, maxRecords: 2, maxLeaderEpoch: 2 };

function row(name: string, protocol: Protocol, symmetry: boolean): void {
  const seconds: number[] = [];
  let states = 0;
  let transitions = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    const result = explore({ protocol, sizes: SIZES, symmetry });
    seconds.push((performance.now() - from) / 1000);
    ({ states, transitions } = result);
  }
  seconds.sort((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)] as number;
  console.log(
    `${name.padEnd(36)} ${String(states).padStart(8)} states  ${String(transitions).padStart(8)} steps  ${median.toFixed(2).padStart(6)} s  ${String(Math.round(states / median)).padStart(8)} states/s`,
  );
}

row("Kip320, modules", MODULES.Kip320, false);
row("Kip320, modules, symmetry", MODULES.Kip320, true);
row("Kip320, the model's decisions", MODEL.Kip320, false);
row("Kip320, the model's, symmetry", MODEL.Kip320, true);
