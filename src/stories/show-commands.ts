/** `show ...`: the state of things, as small as it can be told. */
import { formatZxid } from "../model/zookeeper/txn.ts";
import { type Arguments, noSuch } from "./arguments.ts";
import type { Replica } from "./ledger.ts";
import { readPartition, type Universe } from "./universe.ts";

const SHOWS: { readonly [what: string]: (universe: Universe, args: Arguments) => string[] } = {
  log: showLog,
  state: showState,
  states: showStates,
  controller: showController,
  zookeeper: showZooKeeper,
  znode: showZnode,
};

export function showCommand(universe: Universe, args: Arguments): string[] {
  const what = args.word("what to show");
  const show = SHOWS[what];
  if (show === undefined) throw noSuch("view", what, Object.keys(SHOWS));
  return show(universe, args);
}

/**
 * One line per replica: role and leader epoch as the broker itself believes, high watermark, and the
 * log. `|` is the high watermark in the log: what is right of it is not known to be committed. A
 * record is `value` with the epoch under which it was written behind a slash.
 */
function showLog(universe: Universe, args: Arguments): string[] {
  const { name } = readPartition(args.word("a topic"));
  const replicas = universe.ledger.partitions.get(name) ?? [];
  const roles = replicas.map((replica) => roleOf(universe, replica));
  const width = Math.max(0, ...roles.map((role) => role.length));
  return replicas.map((replica, i) => {
    const role = (roles[i] as string).padEnd(width);
    return `b${replica.broker} ${role}  HW ${replica.highWatermark}  ${formatRecords(replica)}`;
  });
}

function roleOf(universe: Universe, replica: Replica): string {
  const node = universe.brokers[replica.broker - 1];
  if (node?.running !== true) return "down";
  if (node.paused) return "paused";
  if (replica.role === "none") return "idle";
  return `${replica.role} e${replica.leaderEpoch}`;
}

function formatRecords(replica: Replica): string {
  const parts: string[] = [];
  let committed = true;
  for (const { offset, epoch, value } of replica.records) {
    if (offset < replica.logStartOffset) continue;
    // Compaction may have taken the record at the high watermark away.
    if (committed && offset >= replica.highWatermark) {
      parts.push("|");
      committed = false;
    }
    parts.push(`${offset}:${value}/${epoch}`);
  }
  if (replica.highWatermark >= replica.logEndOffset) parts.push("|");
  return parts.join(" ");
}

/** The last state in ZooKeeper: leader/leader epoch/partition epoch [ISR]. */
function showState(universe: Universe, args: Arguments): string[] {
  const { name } = readPartition(args.word("a topic"));
  const states = universe.ledger.states.get(name) ?? [];
  universe.told.set(name, states.length);
  return [states.at(-1) ?? "none"];
}

/** The states written since they were last shown. */
function showStates(universe: Universe, args: Arguments): string[] {
  const { name } = readPartition(args.word("a topic"));
  const states = universe.ledger.states.get(name) ?? [];
  const since = states.slice(universe.told.get(name) ?? 0);
  universe.told.set(name, states.length);
  return since.length === 0 ? ["(none since)"] : since;
}

function showController(universe: Universe): string[] {
  const { znodes } = universe.ledger;
  const node = znodes.get("/controller");
  const id = node === undefined ? null : (JSON.parse(node) as { brokerid: number }).brokerid;
  const epoch = znodes.get("/controller_epoch") ?? "none";
  return [`${id === null ? "no controller" : `b${id}`}, controller epoch ${epoch}`];
}

/** One line per server: state, last transaction in its log, last one applied. */
function showZooKeeper(universe: Universe): string[] {
  return universe.ledger.servers.map(({ id, state, logged, applied }) => {
    const node = universe.zooKeepers[id - 1];
    const shown = node?.running === true ? (node.paused ? "paused" : state) : "down";
    return `zk${id} ${shown.padEnd(9)} logged ${formatZxid(logged)} applied ${formatZxid(applied)}`;
  });
}

function showZnode(universe: Universe, args: Arguments): string[] {
  const path = args.word("a path");
  const data = universe.ledger.znodes.get(path);
  return [data === undefined ? "no such znode" : data === "" ? "(empty)" : data];
}
