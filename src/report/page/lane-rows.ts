/** Which lanes there are, where each is, and what a lane says at a moment. */
import type { ReplicaLog } from "./replica-log.ts";
import type { ClientLane, LaneNode, PartitionLane, Segment, Timeline } from "./timeline.ts";
import { duration } from "./words.ts";

export type Row = { readonly y: number; readonly height: number; readonly label: string } & (
  | { readonly kind: "faults"; readonly tracks: readonly (readonly FaultBar[])[] }
  | { readonly kind: "node"; readonly node: LaneNode }
  | { readonly kind: "controller" }
  | { readonly kind: "partition"; readonly partition: PartitionLane; readonly open: boolean }
  | { readonly kind: "replica"; readonly replica: ReplicaLog; readonly partition: PartitionLane }
  | { readonly kind: "client"; readonly client: ClientLane }
  | { readonly kind: "heading" }
);

export interface FaultBar extends Segment {
  readonly instant: boolean;
}

export const AXIS_HEIGHT = 34;
const FAULT_HEIGHT = 17;
const NODE_HEIGHT = 18;
const REPLICA_HEIGHT = 46;

/** From top to bottom; `partition` is the one whose replicas are shown. */
export function layoutRows(timeline: Timeline, partition: number): { rows: Row[]; height: number } {
  const rows: Row[] = [];
  let y = AXIS_HEIGHT;
  // Each kind of row brings its own fields: the spread keeps them together.
  const add = (row: DistributiveOmit<Row, "y">) => {
    rows.push({ ...row, y } as Row);
    y += row.height;
  };
  const tracks = packFaults(timeline);
  if (tracks.length > 0) {
    const height = tracks.length * FAULT_HEIGHT + 4;
    add({ kind: "faults", label: "faults", height, tracks });
  }
  for (const node of timeline.nodes) {
    if (node.group !== "zookeeper") continue;
    add({ kind: "node", label: node.name, height: NODE_HEIGHT, node });
  }
  add({ kind: "controller", label: "controller", height: NODE_HEIGHT });
  for (const node of timeline.nodes) {
    if (node.group !== "broker") continue;
    add({ kind: "node", label: node.name, height: NODE_HEIGHT, node });
  }
  for (const lane of timeline.partitions) {
    const open = lane.index === partition;
    add({ kind: "partition", label: lane.name, height: NODE_HEIGHT + 4, partition: lane, open });
    if (!open) continue;
    for (const replica of lane.replicas) {
      const label = timeline.nodes[replica.node]?.name ?? "";
      add({ kind: "replica", label, height: REPLICA_HEIGHT, replica, partition: lane });
    }
  }
  for (const client of timeline.clients) {
    add({ kind: "client", label: client.node.name, height: NODE_HEIGHT, client });
  }
  return { rows, height: y + 6 };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Lines that faults may take. */
const TRACKS_MAX = 6;

/** Faults that overlap get lines of their own; where they are many, words get less room. */
function packFaults(timeline: Timeline): FaultBar[][] {
  for (const share of [12, 40, 160]) {
    const tracks = packWith(timeline, timeline.end / share);
    if (tracks.length <= TRACKS_MAX) return tracks;
  }
  return packWith(timeline, 0);
}

/** Beyond the last line bars lie on each other. */
function packWith({ recording, end }: Timeline, space: number): FaultBar[][] {
  const tracks: FaultBar[][] = [];
  for (const { fault, says, from, to } of recording.faults) {
    const instant = to === null && fault.duration === 0;
    const bar: FaultBar = {
      from,
      to: to ?? (instant ? from : end),
      tone: fault.kind,
      label: says,
      instant,
    };
    const track = tracks.find((bars) => {
      const last = bars[bars.length - 1] as FaultBar;
      return Math.max(last.to, last.from + space) <= from;
    });
    if (track !== undefined) track.push(bar);
    else if (space > 0 || tracks.length < TRACKS_MAX) tracks.push([bar]);
    else (tracks[tracks.length - 1] as FaultBar[]).push(bar);
  }
  return tracks;
}

function labelAt(segments: readonly Segment[], at: number): string | null {
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i] as Segment;
    if (at >= segment.from && at < segment.to) return segment.label || segment.tone;
  }
  return null;
}

/** What a lane says at a moment, for the pointer and for screen readers. */
export function rowWords(timeline: Timeline, row: Row, at: number): string {
  switch (row.kind) {
    case "faults": {
      const active = row.tracks.flat().filter((bar) => at >= bar.from && at <= bar.to);
      return active.map(({ label }) => label).join("; ") || "no fault";
    }
    case "node": {
      const { node } = row;
      const life = labelAt(node.life, at);
      const words = [life === "" ? "down" : life, labelAt(node.cut, at), labelAt(node.role, at)];
      const said = words.filter((word) => word !== null);
      return `${node.name}: ${said.join(", ") || "runs"}`;
    }
    case "controller":
      return `controller: ${labelAt(timeline.controller, at) ?? "none"}`;
    case "partition": {
      const state = timeline.committed(row.partition.index, at);
      if (state === null) return `${row.label}: not created`;
      const leader = state.leader < 0 ? "no leader" : `leader b${state.leader}`;
      return `${row.label}: ${leader}, epoch ${state.leaderEpoch}, ISR ${state.isr.join(",")}`;
    }
    case "replica": {
      const { replica } = row;
      const position = replica.position(at);
      if (position < 0) return `${row.label}: no log`;
      const leads = labelAt(row.partition.leading.get(replica.node) ?? [], at);
      const numbers = `LEO ${replica.logEndOffset[position]}, HW ${replica.highWatermark[position]}`;
      return `${row.label} ${row.partition.name}: ${numbers}${leads === null ? "" : `, ${leads}`}`;
    }
    case "client":
      return `${row.label}: ${clientWords(timeline, row.client, at)}`;
    case "heading":
      return row.label;
  }
}

function clientWords(timeline: Timeline, client: ClientLane, at: number): string {
  const nearest = (times: readonly number[]) => {
    let best = Number.POSITIVE_INFINITY;
    for (const time of times) if (Math.abs(time - at) < Math.abs(best - at)) best = time;
    return best;
  };
  const said: [number, string][] = [
    [nearest(client.ok), "acknowledged"],
    [nearest(client.failed), "failed"],
    [nearest(client.indeterminate), "indeterminate"],
    [nearest(client.polled), "polled"],
  ];
  said.sort((a, b) => Math.abs(a[0] - at) - Math.abs(b[0] - at));
  const [time, word] = said[0] as [number, string];
  if (!Number.isFinite(time)) return `nothing in ${duration(timeline.end)}`;
  return `${word} ${duration(Math.round(Math.abs(time - at)))} ${time < at ? "before" : "after"}`;
}
