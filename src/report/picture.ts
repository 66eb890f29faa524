/**
 * The servers at the moment of a violation: one line each, with the last thing that happened to it.
 *
 * The trial is run once more and watched: it is deterministic, so nothing had to be recorded before.
 */
import type { Finding } from "../checks/finding.ts";
import { formatTime, type World } from "../sim/index.ts";
import { Board, brokerMark, type ServerState } from "./board.ts";
import { transitionOf } from "./transition.ts";

class Enough extends Error {}

interface Last {
  readonly at: number;
  readonly says: string;
}

/** `run` runs the same trial again and calls back with its world before anything starts. */
export function pictureOf(
  finding: Finding,
  run: (onWorld: (world: World) => void) => void,
): string[] {
  let lines: string[] = [];
  try {
    run((world) => {
      const board = new Board(world);
      const last = new Map<number, Last>();
      world.observers.onAny((observation, node, at) => {
        const transition = transitionOf(observation, node, board);
        board.update(observation, node);
        if (transition !== null && transition.mark !== ";" && transition.mark !== "!") {
          last.set(node, { at, says: transition.says });
        }
      });
      world.afterEvent = () => {
        if (world.nextTime() <= finding.at) return;
        lines = draw(board, finding, last);
        throw new Enough();
      };
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return lines;
}

function draw(board: Board, finding: Finding, last: ReadonlyMap<number, Last>): string[] {
  const { topic, partition } = finding;
  const about = (server: ServerState) => {
    const news = last.get(server.node.id);
    return news === undefined ? "" : `${formatTime(news.at)} ${news.says}`;
  };
  if (topic === undefined || partition === undefined) {
    if (!finding.check.startsWith("Z")) return [];
    return board.keepers.map(
      (server) =>
        `  ${server.node.name.padEnd(5)}${board.keeperCell(server).padEnd(5)}${about(server)}`,
    );
  }
  const lines: string[] = [];
  for (const server of board.brokers) {
    const replica = server.replicas.get(`${topic}-${partition}`);
    if (replica === undefined) continue;
    const role = server.life === "running" ? replica.role : server.life;
    const isr = replica.role === "leader" ? `ISR ${replica.isr.join(",")}` : "";
    lines.push(
      [
        `  ${server.node.name.padEnd(4)}${brokerMark(server)} ${role.padEnd(9)}`,
        `LEO ${String(replica.logEndOffset).padEnd(6)}`,
        `HW ${String(replica.highWatermark).padEnd(6)}`,
        `e${String(replica.leaderEpoch).padEnd(4)}`,
        isr.padEnd(14),
        about(server),
      ]
        .join(" ")
        .trimEnd(),
    );
  }
  return lines;
}
