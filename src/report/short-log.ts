/**
 * The short log: one aligned line per state transition, with a column per server, made to be read by
 * eye. Time, the node that it happens to, a mark, the columns, then what happened in words.
 */
import type { Observation, World } from "../sim/index.ts";
import { Board } from "./board.ts";
import { MARKS, transitionOf } from "./transition.ts";

const KEEPER_WIDTH = 4;
const BROKER_WIDTH = 12;
const LEGEND_WIDTH = 34;

/** Phases that the trial has finished, in order; the log draws a line at each. */
export interface Phased {
  readonly world: World;
  readonly phases: readonly { readonly name: string }[];
}

export class ShortLog {
  readonly #trial: Phased;
  readonly #board: Board;
  readonly #write: (line: string) => void;
  #phases = 0;

  /** Listens to the world of the trial from now on; nothing may have started yet. */
  constructor(trial: Phased, write: (line: string) => void) {
    this.#trial = trial;
    this.#board = new Board(trial.world);
    this.#write = write;
    for (const line of legend()) write(line);
    write(this.#header());
    trial.world.observers.onAny((observation, node, at) => this.#observe(observation, node, at));
  }

  #header(): string {
    const { keepers, brokers } = this.#board;
    const zk = keepers.map(({ node }) => node.name.padEnd(KEEPER_WIDTH)).join("");
    const b = brokers.map(({ node }) => node.name.padEnd(BROKER_WIDTH)).join("");
    return `${"seconds".padStart(11)} node    ${zk}| ${b}|`;
  }

  #observe(observation: Observation, node: number, at: number): void {
    const board = this.#board;
    const transition = transitionOf(observation, node, board);
    board.update(observation, node);
    if (transition === null) return;
    this.#phaseLines();
    const { mark, says, partition } = transition;
    let cells = "";
    for (const server of board.keepers) cells += board.keeperCell(server).padEnd(KEEPER_WIDTH);
    cells += "| ";
    for (const server of board.brokers) {
      cells += board.brokerCell(server, partition).padEnd(BROKER_WIDTH);
    }
    const name = this.#trial.world.node(node).name.padEnd(5);
    this.#write(`${logTime(at)} ${name} ${mark} ${cells}| ${says}`);
  }

  #phaseLines(): void {
    const { phases } = this.#trial;
    while (this.#phases < phases.length) {
      const { name } = phases[this.#phases++] as { readonly name: string };
      this.#write(`${" ".repeat(12)}---- ${name} ends ----`);
    }
  }
}

/** Seconds with six digits, right-aligned: `   12.482031`. */
export function logTime(at: number): string {
  const whole = Math.floor(at / 1_000_000);
  const fraction = String(at - whole * 1_000_000).padStart(6, "0");
  return `${String(whole).padStart(4)}.${fraction}`;
}

/** Explains marks and cells. */
export function legend(): string[] {
  const lines = ["marks"];
  const texts = MARKS.map(([mark, says]) => `${mark}  ${says}`);
  for (let i = 0; i < texts.length; i += 3) {
    lines.push(
      `  ${texts
        .slice(i, i + 3)
        .map((text) => text.padEnd(LEGEND_WIDTH))
        .join("")
        .trimEnd()}`,
    );
  }
  lines.push(
    "zk    ?  looking   \\  following   /3  leading epoch 3   #  down   X  no power   =  paused",
    "b     ~  not registered   .  registered   *  controller, then the number of partitions it leads;",
    "      in lines about one partition: / leader or \\ follower, log end offset:high watermark",
  );
  return lines;
}
