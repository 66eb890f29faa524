/** Draws one replica's log over time: an area by epoch, its high watermark, and where it was cut. */
import type { ScaleLinear } from "d3-scale";
import type { Canvas, Sight } from "./canvas.ts";
import { epochColour } from "./palette.ts";
import { lastAtOrBefore, type ReplicaLog } from "./replica-log.ts";
import { textWidth } from "./text-width.ts";
import type { PartitionLane, Timeline } from "./timeline.ts";

type Scale = ScaleLinear<number, number>;

/** The log as an area over time: height is the offset, colour the epoch that wrote it. */
export function drawReplica(
  canvas: Canvas,
  timeline: Timeline,
  replica: ReplicaLog,
  lane: PartitionLane,
  row: { readonly y: number; readonly height: number },
  sight: Sight,
  x: Scale,
): void {
  const { context, palette, left, width } = canvas;
  const top = row.y + 5;
  const bottom = row.y + row.height - 2;
  const [floor, ceiling] = offsetSpan(timeline, lane, sight);
  const perOffset = (bottom - top) / (ceiling - floor);
  // Half pixels: a log that grows is drawn anew only when it has grown by one.
  const y = (offset: number) =>
    Math.round((bottom - Math.max(0, Math.min(ceiling, offset) - floor) * perOffset) * 2) / 2;
  let position = replica.position(sight.from);
  const { at, logEndOffset, highWatermark } = replica;
  const high: [number, number][] = [];
  const steps = Math.max(1, width - left);
  const span = (sight.to - sight.from) / steps;
  const limit = Math.min(steps, (timeline.end - sight.from) / span);
  let runStart = left;
  let runPosition = position;
  // One area per epoch, filled at once: steps are many, epochs are few.
  const areas = new Map<number, Path2D>();
  const areaOf = (epoch: number): Path2D => {
    let area = areas.get(epoch);
    if (area === undefined) {
      area = new Path2D();
      areas.set(epoch, area);
    }
    return area;
  };
  const flush = (until: number) => {
    if (runPosition < 0 || until <= runStart) return;
    const end = logEndOffset[runPosition] as number;
    const epochs = replica.epochsAt(runPosition);
    if (epochs.length === 0 && end > floor) {
      areaOf(-1).rect(runStart, y(end), until - runStart, bottom - y(end));
    }
    for (let i = 0; i < epochs.length; i++) {
      const { epoch, startOffset } = epochs[i] as (typeof epochs)[number];
      const upTo = epochs[i + 1]?.startOffset ?? end;
      if (upTo <= floor) continue;
      const from = y(upTo);
      areaOf(epoch).rect(runStart, from, until - runStart, y(startOffset) - from);
    }
  };
  for (let step = 1; step <= limit; step++) {
    const time = sight.from + step * span;
    let next = position;
    if ((at[next + 1] ?? Number.POSITIVE_INFINITY) <= time) next = lastAtOrBefore(at, time);
    if (next === position) continue;
    const pixel = left + step - 1;
    const before = runPosition < 0 ? -1 : y(logEndOffset[runPosition] as number);
    const after = y(logEndOffset[next] as number);
    const sameHigh =
      runPosition >= 0 &&
      y(highWatermark[runPosition] as number) === y(highWatermark[next] as number);
    position = next;
    if (before === after && sameHigh) continue;
    flush(pixel);
    if (runPosition >= 0) high.push([pixel, y(highWatermark[runPosition] as number)]);
    runStart = pixel;
    runPosition = next;
  }
  flush(left + limit);
  for (const [epoch, area] of areas) {
    context.fillStyle = epoch < 0 ? palette.quiet : epochColour(epoch);
    context.fill(area);
  }
  if (runPosition >= 0) high.push([left + limit, y(highWatermark[runPosition] as number)]);
  drawHighWatermark(canvas, high);
  for (const cut of replica.cuts) drawCut(canvas, replica, cut, x, y);
  for (const segment of lane.leading.get(replica.node) ?? []) {
    const a = Math.max(left, x(segment.from));
    const b = Math.min(width, x(segment.to));
    if (b <= a) continue;
    context.fillStyle = palette.text;
    context.fillRect(a, row.y + 1, b - a, 2.5);
  }
  if (sight.offset != null) {
    context.strokeStyle = palette.text;
    context.setLineDash([3, 3]);
    context.beginPath();
    const line = Math.round(y(sight.offset)) + 0.5;
    context.moveTo(left, line);
    context.lineTo(width, line);
    context.stroke();
    context.setLineDash([]);
  }
}

/** The offsets that the replicas have in sight: the same for all, so that they compare. */
function offsetSpan(_timeline: Timeline, lane: PartitionLane, sight: Sight): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = 1;
  for (const replica of lane.replicas) {
    const first = Math.max(0, replica.position(sight.from));
    const last = replica.position(sight.to);
    if (last < 0) continue;
    low = Math.min(
      low,
      replica.logEndOffset[first] as number,
      replica.logEndOffset[last] as number,
    );
    high = Math.max(
      high,
      replica.logEndOffset[first] as number,
      replica.logEndOffset[last] as number,
    );
    for (const cut of replica.cuts) {
      if (cut <= first || cut > last) continue;
      low = Math.min(low, replica.logEndOffset[cut] as number);
      high = Math.max(high, replica.logEndOffset[cut - 1] as number);
    }
  }
  if (!Number.isFinite(low)) return [0, 1];
  // Close by, a few records must show; far off, the whole log.
  const room = Math.max(6, (high - low) * 0.35);
  return [Math.max(0, Math.floor(low - room)), high];
}

function drawHighWatermark(canvas: Canvas, points: readonly (readonly [number, number])[]): void {
  const { context, palette, left } = canvas;
  if (points.length === 0) return;
  const trace = () => {
    context.beginPath();
    let from = left;
    for (const [until, level] of points) {
      context.lineTo(from, level);
      context.lineTo(until, level);
      from = until;
    }
    context.stroke();
  };
  context.strokeStyle = palette.panel;
  context.lineWidth = 3;
  trace();
  context.strokeStyle = palette.text;
  context.lineWidth = 1;
  trace();
}

function drawCut(
  canvas: Canvas,
  replica: ReplicaLog,
  cut: number,
  x: Scale,
  y: (offset: number) => number,
): void {
  const { context, palette, left, width } = canvas;
  const at = x(replica.at[cut] as number);
  if (at < left || at > width) return;
  const from = replica.logEndOffset[cut - 1] as number;
  const to = replica.logEndOffset[cut] as number;
  context.strokeStyle = palette.bad;
  context.fillStyle = palette.bad;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(at, y(from));
  context.lineTo(at, y(to));
  context.stroke();
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(at - 4, y(to) - 6);
  context.lineTo(at + 4, y(to) - 6);
  context.lineTo(at, y(to));
  context.fill();
  const words = `−${from - to}`;
  const room = textWidth(context, words) + 6;
  context.fillStyle = palette.panel;
  context.globalAlpha = 0.85;
  context.fillRect(at + 3, (y(from) + y(to)) / 2 - 7, room, 14);
  context.globalAlpha = 1;
  context.fillStyle = palette.bad;
  context.fillText(words, at + 6, (y(from) + y(to)) / 2);
}
