/**
 * Runs a story: its blocks of commands in order, in one cluster or in several side by side.
 *
 * `cluster` makes a cluster; with a name before (`cluster old: ...`) there may be several, and each
 * command is then carried out in all of them. Where they all print the same, it is printed once. A
 * command that begins with a cluster's name and `:` is carried out in that one only.
 */
import { BROKER_DEFAULTS, type BrokerConfig } from "../model/kafka/config.ts";
import { VARIANTS } from "../model/variants/registry.ts";
import { TIMEOUT_NAMES, TIMEOUTS, type TimeoutName } from "../trial/timeouts.ts";
import { Arguments, noSuch, StoryError } from "./arguments.ts";
import {
  consumerCommand,
  outcomesCommand,
  pollCommand,
  producerCommand,
  sendCommand,
  sessionCommand,
  zkCommand,
} from "./clients.ts";
import {
  answersCommand,
  epochEndCommand,
  fetchCommand,
  listOffsetsCommand,
  produceCommand,
  runCommand,
  topicCommand,
  waitCommand,
} from "./cluster-commands.ts";
import { leaderAndIsrCommand, stopReplicaCommand } from "./control-commands.ts";
import {
  clogCommand,
  cutCommand,
  healCommand,
  messageCommand,
  nodeCommand,
  powerOffCommand,
} from "./fault-commands.ts";
import { formatStory, parseStory, type StoryBlock, type StoryCommand } from "./format.ts";
import { showCommand } from "./show-commands.ts";
import { Universe } from "./universe.ts";

type Command = (universe: Universe, args: Arguments) => string[];

/** Commands of a cluster; `cluster` itself is in this file. */
export const COMMANDS: { readonly [name: string]: Command } = {
  topic: topicCommand,
  produce: produceCommand,
  answers: answersCommand,
  fetch: fetchCommand,
  "epoch-end": epochEndCommand,
  "list-offsets": listOffsetsCommand,
  run: runCommand,
  wait: waitCommand,
  kill: nodeCommand,
  start: nodeCommand,
  stop: nodeCommand,
  pause: nodeCommand,
  resume: nodeCommand,
  wipe: nodeCommand,
  "power-off": powerOffCommand,
  "write-back": nodeCommand,
  "stop-replica": stopReplicaCommand,
  "leader-and-isr": leaderAndIsrCommand,
  cut: cutCommand,
  clog: clogCommand,
  drop: messageCommand,
  delay: messageCommand,
  duplicate: messageCommand,
  heal: healCommand,
  producer: producerCommand,
  send: sendCommand,
  outcomes: outcomesCommand,
  consumer: consumerCommand,
  poll: pollCommand,
  session: sessionCommand,
  zk: zkCommand,
  show: showCommand,
};

/** A block that did not print what the file says. */
export interface StoryDifference {
  /** 1-based line of the first expected line. */
  readonly line: number;
  readonly expected: readonly string[];
  readonly got: readonly string[];
}

export interface StoryResult {
  readonly differences: readonly StoryDifference[];
  /** The file with what the commands print now. */
  readonly text: string;
  readonly blocks: number;
}

/** Runs a story from its text. Throws StoryError, with the line, when the text makes no sense. */
export function runStory(text: string): StoryResult {
  const parts = parseStory(text);
  const stage = new Stage();
  const outputs: string[][] = [];
  const differences: StoryDifference[] = [];
  for (const part of parts) {
    if (part.kind === "prose") continue;
    const got = stage.block(part);
    outputs.push(got);
    const same = got.length === part.expected.length && got.every((s, i) => s === part.expected[i]);
    if (!same) differences.push({ line: part.expectedLine, expected: part.expected, got });
  }
  return { differences, text: formatStory(parts, outputs), blocks: outputs.length };
}

interface Actor {
  /** Empty for the only cluster of a story. */
  readonly name: string;
  readonly universe: Universe;
}

class Stage {
  readonly #actors: Actor[] = [];

  /** What the commands of a block print, without trailing spaces. */
  block({ commands }: StoryBlock): string[] {
    const lines: string[] = [];
    for (const command of commands) lines.push(...this.#run(command));
    return lines.map((line) => line.trimEnd());
  }

  #run(command: StoryCommand): string[] {
    try {
      const { text } = command;
      if (/^cluster\b/.test(text)) return this.#cluster(text);
      const only = /^([a-z][\w.-]*): (.*)$/.exec(text);
      if (only !== null) {
        const actor = this.#actors.find(({ name }) => name === only[1]);
        if (actor === undefined) {
          throw noSuch(
            "cluster",
            only[1] as string,
            this.#actors.map(({ name }) => name),
          );
        }
        return label(actor.name, carryOut(actor.universe, only[2] as string));
      }
      return this.#inAll(text);
    } catch (error) {
      if (!(error instanceof StoryError)) throw error;
      throw new StoryError(`line ${command.line}: ${error.message}`);
    }
  }

  #inAll(text: string): string[] {
    if (this.#actors.length === 0) {
      commandOf(new Arguments(text));
      throw new StoryError("begin with a cluster");
    }
    const told = this.#actors.map(({ name, universe }) => ({
      name,
      lines: carryOut(universe, text),
    }));
    const first = (told[0] as { lines: string[] }).lines;
    if (told.every(({ lines }) => lines.join("\n") === first.join("\n"))) return first;
    return told.flatMap(({ name, lines }) => label(name, lines.length === 0 ? ["-"] : lines));
  }

  #cluster(text: string): string[] {
    const match = /^cluster(?: ([a-z][\w.-]*):)?(.*)$/.exec(text);
    const name = match?.[1] ?? "";
    if (this.#actors.some((actor) => actor.name === name || actor.name === "" || name === "")) {
      throw new StoryError("several clusters need names: cluster old: ..., cluster new: ...");
    }
    const args = new Arguments(`cluster${match?.[2] ?? ""}`);
    const universe = newUniverse(args);
    universe.boot();
    this.#actors.push({ name, universe });
    const { brokers, zooKeepers } = universe;
    const said = [`${count(zooKeepers.length, "ZooKeeper server")}`];
    if (brokers.length > 0) {
      said.unshift(count(brokers.length, "broker"));
      said.push(`controller ${universe.roles.controller()?.name}`);
    }
    return label(name, [said.join(", ")]);
  }
}

function label(name: string, lines: readonly string[]): string[] {
  return name === "" ? [...lines] : lines.map((line) => `${name}: ${line}`);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function commandOf(args: Arguments): Command {
  const command = COMMANDS[args.command];
  if (command === undefined) {
    throw noSuch("command", args.command, ["cluster", ...Object.keys(COMMANDS)]);
  }
  return command;
}

function carryOut(universe: Universe, text: string): string[] {
  const args = new Arguments(text);
  const lines = commandOf(args)(universe, args);
  args.finish();
  return lines;
}

function newUniverse(args: Arguments): Universe {
  const timeouts = args.option("timeouts") ?? "default";
  if (!(TIMEOUT_NAMES as readonly string[]).includes(timeouts)) {
    throw noSuch("set of time-outs", timeouts, [...TIMEOUT_NAMES]);
  }
  const preset = TIMEOUTS[timeouts as TimeoutName];
  const variant = args.option("variant");
  if (variant !== null && !(variant in VARIANTS)) {
    throw noSuch("variant", variant, Object.keys(VARIANTS));
  }
  const options = {
    seed: args.option("seed") ?? "1",
    brokers: args.number("brokers", 3),
    zookeeper: args.number("zookeeper", 3),
    variant,
    zookeeperConfig: preset.zookeeper,
  };
  const config = args.configuration(BROKER_DEFAULTS) as Partial<BrokerConfig>;
  const universe = new Universe({ ...options, config: { ...preset.broker, ...config } });
  args.finish();
  return universe;
}
