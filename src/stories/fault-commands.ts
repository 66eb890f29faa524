/** Commands that break and repair: the world's control verbs and the network's rules, one by one. */
import { ActiveRule, type MessageRule, SECOND, type SimNode } from "../sim/index.ts";
import { type Arguments, noSuch, StoryError } from "./arguments.ts";
import type { Universe } from "./universe.ts";

/** `kill b1`, `start b1`, `stop b1`, `pause b1`, `resume b1`, `wipe b1`, `write-back b1` */
export function nodeCommand(universe: Universe, args: Arguments): string[] {
  const { world } = universe;
  const { command } = args;
  const nodes = args.rest().flatMap((text) => universe.nodes(text));
  if (nodes.length === 0) throw new StoryError(`${command}: expected whom`);
  for (const node of nodes) {
    if (command === "kill") world.kill(node);
    else if (command === "start") world.start(node);
    else if (command === "stop") world.stop(node);
    else if (command === "pause") world.pause(node);
    else if (command === "resume") world.resume(node);
    else if (command === "write-back") node.disk.writeBack();
    else {
      world.powerOff(node);
      node.disk.wipe();
    }
  }
  return [];
}

/** `power-off b1 unsynced=lost`: the worst, the best, or what the seed draws. */
export function powerOffCommand(universe: Universe, args: Arguments): string[] {
  const unsynced = args.option("unsynced") ?? "lost";
  if (unsynced !== "lost" && unsynced !== "kept" && unsynced !== "random") {
    throw noSuch("fate", unsynced, ["lost", "kept", "random"]);
  }
  const nodes = args.rest().flatMap((text) => universe.nodes(text));
  for (const node of nodes) {
    const { disk } = node;
    const before = { unsynced: disk.unsynced, tearing: disk.tearing };
    disk.unsynced = unsynced;
    disk.tearing = false;
    universe.world.powerOff(node);
    disk.unsynced = before.unsynced;
    disk.tearing = before.tearing;
  }
  return [];
}

/** `cut b1`, `cut b1 from zookeeper,b2`: no message passes until `heal`. */
export function cutCommand(universe: Universe, args: Arguments): string[] {
  const { world } = universe;
  const paths = readPaths(universe, args);
  for (const [from, to] of paths) world.network.block(from, to);
  universe.repairs.push(() => {
    for (const [from, to] of paths) world.network.unblock(from, to);
  });
  return [];
}

/** `clog b1 from zk2`: messages are held back until `heal`, which delivers them. */
export function clogCommand(universe: Universe, args: Arguments): string[] {
  const { network } = universe.world;
  const paths = readPaths(universe, args);
  for (const [from, to] of paths) network.clog(from, to);
  universe.repairs.push(() => {
    for (const [from, to] of paths) network.unclog(from, to);
  });
  return [];
}

/** From node to node, by id. */
function readPaths(universe: Universe, args: Arguments): [number, number][] {
  const sides = readSides(universe, args);
  const direction = args.option("direction") ?? "both";
  if (!["both", "in", "out"].includes(direction)) {
    throw noSuch("direction", direction, ["both", "in", "out"]);
  }
  const paths: [number, number][] = [];
  for (const a of sides.of) {
    for (const b of sides.from) {
      if (direction !== "in") paths.push([a.id, b.id]);
      if (direction !== "out") paths.push([b.id, a.id]);
    }
  }
  return paths;
}

function readSides(universe: Universe, args: Arguments): { of: SimNode[]; from: SimNode[] } {
  const [whom, ...more] = args.rest();
  if (whom === undefined) throw new StoryError(`${args.command}: expected whom`);
  const of = whom.split(",").flatMap((text) => universe.nodes(text));
  const all = universe.world.nodes;
  let from: SimNode[] = all.filter((node) => !of.includes(node));
  if (more.length > 0) {
    if (more[0] !== "from" || more[1] === undefined) {
      throw new StoryError(`${args.command}: expected "from" and from whom`);
    }
    from = more[1]
      .split(",")
      .flatMap((text) => universe.nodes(text))
      .filter((node) => !of.includes(node));
  }
  return { of, from };
}

/** `drop AlterPartition.request to=b1`, `delay LeaderAndIsr.request to=b2 by=5s times=1` */
export function messageCommand(universe: Universe, args: Arguments): string[] {
  const type = args.word("a message such as LeaderAndIsr.request");
  const from = oneOf(universe, args.option("from"));
  const to = oneOf(universe, args.option("to"));
  const timesText = args.option("times");
  const times = timesText === null ? null : Number(timesText);
  const rule: MessageRule = { type, from, to, perMille: 1000, times, action: actionOf(args) };
  const { rules } = universe.world.network;
  const active = new ActiveRule(rule);
  rules.push(active);
  universe.repairs.push(() => {
    rules.splice(rules.indexOf(active), 1);
  });
  return [];
}

function actionOf(args: Arguments): MessageRule["action"] {
  if (args.command === "drop") return { kind: "drop" };
  const by = args.duration("by", SECOND);
  return args.command === "delay" ? { kind: "delay", by } : { kind: "duplicate", after: by };
}

function oneOf(universe: Universe, text: string | null): number | null {
  if (text === null) return null;
  const [node] = universe.nodes(text);
  return (node as SimNode).id;
}

/** Ends all cuts, clogs and rules; starts nothing. */
export function healCommand(universe: Universe): string[] {
  for (const repair of universe.repairs.splice(0)) repair();
  return [];
}
