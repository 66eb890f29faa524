/** The words of `trial explain`: the lives of a record, and one moment of a trial. */
import { formatTime } from "../sim/index.ts";
import type { Biography, Life, LifeEvent } from "../trial/biography/biography.ts";
import type { InFlight } from "../trial/biography/in-flight.ts";
import type { Moment, PartitionMoment } from "../trial/biography/moment.ts";
import { faultWords } from "./fault-words.ts";
import { type Paint, plural, screenWidth, wrap } from "./text.ts";

const INDENT = 15;
const IN_FLIGHT_LISTED = 40;
const ORDINALS = ["FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH", "SEVENTH"];

function field(label: string, text: string): string {
  return `  ${label.padEnd(INDENT - 2)}${wrap(text, screenWidth(), INDENT)}`;
}

// --- a record --------------------------------------------------------------------------------------

export function biographyLines(biography: Biography, colours: Paint): string[] {
  const { record, lives } = biography;
  const name = `${record.topic}-${record.partition}@${record.offset}`;
  const count = lives.length === 1 ? "one life" : `${lives.length} lives`;
  const lines = [`${colours.bold(name)}   ${count}`];
  lives.forEach((life, i) => {
    lines.push(
      "",
      ...lifeLines(life, lives.length === 1 ? "" : (ORDINALS[i] ?? `${i + 1}.`), colours),
    );
  });
  return lines;
}

function lifeLines(life: Life, ordinal: string, colours: Paint): string[] {
  const { batch } = life;
  const title = ordinal === "" ? "THE RECORD" : `${ordinal} LIFE`;
  const what = life.isControl ? "a control record" : (life.value ?? "no value");
  const lines = [`${colours.bold(title)}  ${what}`];
  if (!life.isControl) {
    const key = life.key === null ? "without key" : `key ${life.key}`;
    lines.push(field("sent by", `${life.producer ?? "nobody known"}, ${key}`));
  }
  const place =
    batch.baseOffset === batch.lastOffset
      ? `offset ${batch.baseOffset} alone`
      : `offsets ${batch.baseOffset} to ${batch.lastOffset}`;
  const sequence =
    batch.producerId < 0
      ? "no producer id"
      : `producer id ${batch.producerId}, epoch ${batch.producerEpoch}, sequence ${batch.baseSequence}`;
  lines.push(field("batch", `${place}; leader epoch ${life.leaderEpoch}; ${sequence}`));
  for (const event of life.events) lines.push(eventLine(event));
  lines.push(field("fate", fateWords(life, colours)));
  return lines;
}

function eventLine(event: LifeEvent): string {
  const time = formatTime(event.at, 6).padStart(14);
  return `${time}  ${event.node.padEnd(6)}${wrap(eventWords(event), screenWidth(), 22)}`;
}

function eventWords({ kind, leaderEpoch, detail }: LifeEvent): string {
  const more = detail === "" ? "" : `: ${detail}`;
  switch (kind) {
    case "sent":
      return "sends it";
    case "resent":
      return `sends it again${more}`;
    case "appended":
      return `appends it, as leader in epoch ${leaderEpoch}`;
    case "copied":
      return `has copied it${leaderEpoch < 0 ? "" : `, as follower in epoch ${leaderEpoch}`}`;
    case "committed":
      return `commits it: the high watermark passes it, in leader epoch ${leaderEpoch}`;
    case "acknowledged":
      return `learns that it is written${more}`;
    case "failed":
      return `gives it up${more}`;
    case "exposed":
      return `serves it to a consumer${more}`;
    case "polled":
      return "polls it";
    case "truncated":
      return `cuts it off, in leader epoch ${leaderEpoch}${more}`;
    case "not-recovered":
      return `starts without it${more}`;
    case "deleted":
      return `deletes it${more}`;
    default:
      return `appends the same value once more ${detail}, in leader epoch ${leaderEpoch}`;
  }
}

function fateWords(life: Life, colours: Paint): string {
  const { fate, heldBy, committed, acknowledged } = life;
  const promises = [
    ...(committed ? ["committed"] : []),
    ...(acknowledged ? ["acknowledged"] : []),
  ].join(" and ");
  const where = heldBy.length === 0 ? "on no replica" : `on ${heldBy.join(", ")}`;
  const state = promises === "" ? "never committed, never acknowledged" : promises;
  switch (fate) {
    case "kept":
      return `${state}; in the end ${where}`;
    case "deleted":
      return `${state}; deleted from the log; in the end ${where}`;
    case "lost":
      return `${colours.red("LOST")}: ${state}, and in the end ${where}; the last leader lacks it`;
    default:
      return `${state}; in the end ${where}: nothing was promised, nothing is broken`;
  }
}

// --- a moment --------------------------------------------------------------------------------------

export function momentLines(moment: Moment, colours: Paint): string[] {
  const lines = [`${colours.bold(`AT ${formatTime(moment.at, 6)}`)}   ${moment.phase}`];
  lines.push(field("controller", moment.controller ?? "nobody"));
  lines.push(field("ZooKeeper", `${moment.zooKeeperLeader ?? "nobody"} leads`));
  lines.push(field("nodes", nodeWords(moment)));
  moment.faults.forEach(({ fault, since }, i) => {
    const from = `since ${formatTime(since)}`;
    lines.push(field(i === 0 ? "faults" : "", `${faultWords(fault)}, ${from}`));
  });
  if (moment.faults.length === 0) lines.push(field("faults", "none in force"));
  for (const partition of moment.partitions) lines.push(...partitionLines(partition));
  lines.push(...inFlightLines(moment));
  return lines;
}

function nodeWords({ nodes }: Moment): string {
  const odd = nodes.filter(({ state }) => state !== "running");
  const running = nodes.length - odd.length;
  const words = odd.map(({ name, state }) => `${name} ${state}`);
  return [`${running} of ${nodes.length} run`, ...words].join("; ");
}

function partitionLines(partition: PartitionMoment): string[] {
  const { topic, leader, isr, replicas } = partition;
  const led = leader === null ? "no leader" : `led by ${leader}`;
  const lines = [
    field(`${topic}-${partition.partition}`, `${led}; ISR ${isr.join(", ") || "empty"}`),
  ];
  for (const replica of replicas) {
    const sync = replica.inSync ? "in sync" : "out of sync";
    const epoch = replica.leaderEpoch < 0 ? "" : ` in epoch ${replica.leaderEpoch}`;
    lines.push(
      [
        `${" ".repeat(INDENT)}${replica.broker.padEnd(5)}`,
        `LEO ${String(replica.logEndOffset).padEnd(6)} HW ${String(replica.highWatermark).padEnd(6)} `,
        `${sync.padEnd(12)} takes itself for ${replica.role}${epoch}`,
      ].join(""),
    );
  }
  return lines;
}

function inFlightLines({ inFlight, at }: Moment): string[] {
  if (inFlight.length === 0) return [field("in flight", "nothing")];
  const lines = inFlight.slice(0, IN_FLIGHT_LISTED).map((packet, i) => {
    return field(i === 0 ? "in flight" : "", packetWords(packet, at));
  });
  const more = inFlight.length - IN_FLIGHT_LISTED;
  if (more > 0) lines.push(field("", `... and ${plural(more, "packet")} more`));
  return lines;
}

function packetWords({ from, to, type, state, sentAt, arrivesAt }: InFlight, at: number): string {
  const path = `${from} -> ${to}`.padEnd(12);
  if (state === "moving") {
    return `${path} ${type}, in the network, arrives ${formatTime(arrivesAt, 6)}`;
  }
  return `${path} ${type}, not answered for ${((at - sentAt) / 1000).toFixed(1)} ms`;
}
