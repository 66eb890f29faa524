/**
 * Draws the lanes of a trial on a canvas.
 *
 * What is finer than a pixel is drawn once per pixel: the cost of a frame depends on the width of the
 * drawing and not on the length of the trial.
 */
import { type ScaleLinear, scaleLinear } from "d3-scale";
import type { Canvas, Sight } from "./canvas.ts";
import { drawReplica } from "./draw-replica.ts";
import { AXIS_HEIGHT, type FaultBar, type Row } from "./lane-rows.ts";
import { epochColour } from "./palette.ts";
import { lastAtOrBefore } from "./replica-log.ts";
import { clippedText, FONT, textWidth } from "./text-width.ts";
import type { ClientLane, LaneNode, PartitionLane, Segment, Timeline } from "./timeline.ts";
import { digitsFor } from "./words.ts";

const STRONG_FONT = `600 ${FONT}`;

export function timeScale(canvas: Canvas, { from, to }: Sight): ScaleLinear<number, number> {
  return scaleLinear([from, to], [canvas.left, canvas.width]);
}

export function drawLanes(canvas: Canvas, timeline: Timeline, rows: readonly Row[], sight: Sight) {
  const { context, width, height, palette, left } = canvas;
  const x = timeScale(canvas, sight);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  drawAxis(canvas, timeline, sight, x);
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  for (const row of rows) drawRow(canvas, timeline, row, sight, x);
  context.restore();
  for (const row of rows) drawLabel(canvas, row);
  if (sight.detail !== undefined) drawDetail(canvas, sight.detail, x);
  drawFindings(canvas, timeline, x);
  context.strokeStyle = palette.line;
  context.beginPath();
  context.moveTo(left - 0.5, AXIS_HEIGHT);
  context.lineTo(left - 0.5, height);
  context.stroke();
}

type Scale = ScaleLinear<number, number>;

export function drawAxis(canvas: Canvas, timeline: Timeline, sight: Sight, x: Scale): void {
  const { context, width, height, palette, left } = canvas;
  const ticks = x.ticks(Math.max(3, Math.floor((width - left) / 90)));
  const digits = digitsFor(sight.to - sight.from);
  context.lineWidth = 1;
  context.textAlign = "center";
  for (const tick of ticks) {
    const at = Math.round(x(tick)) + 0.5;
    context.strokeStyle = palette.line;
    context.globalAlpha = 0.5;
    context.beginPath();
    context.moveTo(at, AXIS_HEIGHT - 4);
    context.lineTo(at, height);
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = palette.muted;
    const text = `${(tick / 1e6).toFixed(digits)} s`;
    const half = textWidth(context, text) / 2;
    if (at - half > left && at + half < width) context.fillText(text, at, 24);
  }
  context.textAlign = "left";
  for (const { name, from, to } of timeline.recording.trial.phases) {
    const a = Math.max(left, x(from));
    const b = Math.min(width, x(to));
    if (b <= a) continue;
    context.fillStyle = name === "chaos" ? palette.warn : palette.muted;
    context.globalAlpha = name === "chaos" ? 0.35 : 0.2;
    context.fillRect(a, 2, Math.max(1, b - a - 1), 11);
    context.globalAlpha = 1;
    context.fillStyle = palette.text;
    clippedText(context, name, a + 4, 8, b - a - 6);
  }
}

function drawLabel(canvas: Canvas, row: Row): void {
  const { context, left, palette } = canvas;
  context.textAlign = "right";
  const strong = row.kind === "partition";
  context.fillStyle = strong ? palette.text : palette.muted;
  const mark = row.kind === "partition" ? (row.open ? "▾ " : "▸ ") : "";
  const text = mark + row.label;
  // Measured as in the plain font: the strong one is about a tenth wider.
  const room = (left - 14) / (strong ? 1.1 : 1);
  const width = textWidth(context, text);
  const letters = Math.floor((text.length * (room - 11)) / width);
  const shown = width > room ? `${text.slice(0, letters)}…` : text;
  if (strong) context.font = STRONG_FONT;
  context.fillText(shown, left - 8, row.y + Math.min(row.height / 2, 12));
  if (strong) context.font = FONT;
  context.textAlign = "left";
}

/** How far the picked replicas' logs reach at the cursor, beside their lanes. */
export function drawReadings(canvas: Canvas, rows: readonly Row[], cursor: number): void {
  const { context, left, palette } = canvas;
  context.textAlign = "right";
  context.fillStyle = palette.muted;
  for (const row of rows) {
    if (row.kind !== "replica") continue;
    const position = row.replica.position(cursor);
    if (position < 0) continue;
    context.fillText(`LEO ${row.replica.logEndOffset[position]}`, left - 8, row.y + 26);
    context.fillText(`HW ${row.replica.highWatermark[position]}`, left - 8, row.y + 39);
  }
  context.textAlign = "left";
}

function drawRow(canvas: Canvas, timeline: Timeline, row: Row, sight: Sight, x: Scale): void {
  const { context, palette, left, width } = canvas;
  context.fillStyle = palette.line;
  context.globalAlpha = 0.45;
  context.fillRect(left, row.y + row.height - 0.5, width - left, 0.5);
  context.globalAlpha = 1;
  switch (row.kind) {
    case "faults":
      row.tracks.forEach((bars, i) => {
        bars.forEach((bar, n) => {
          const next = bars[n + 1]?.from ?? Number.POSITIVE_INFINITY;
          drawFault(canvas, bar, next, row.y + 2 + i * 17, x, sight);
        });
      });
      return;
    case "node":
      drawNode(canvas, row.node, row, x);
      return;
    case "controller":
      for (const segment of timeline.controller) {
        drawSegment(canvas, segment, row, x, palette.accent, 0.25);
      }
      return;
    case "partition":
      drawPartition(canvas, row.partition, row, x, timeline.end);
      return;
    case "replica":
      drawReplica(canvas, timeline, row.replica, row.partition, row, sight, x);
      return;
    case "client":
      drawClient(canvas, row.client, row, x);
      return;
    case "heading":
      return;
  }
}

/** Words of short faults reach beyond their bars, as far as the next one. */
function drawFault(
  canvas: Canvas,
  bar: FaultBar,
  next: number,
  y: number,
  x: Scale,
  sight: Sight,
): void {
  const { context, palette, left, width } = canvas;
  if (bar.from > sight.to) return;
  const start = x(bar.from);
  const a = Math.max(left, start);
  const b = bar.instant ? start + 3 : Math.min(width, x(bar.to));
  if (b < left) return;
  context.fillStyle = palette.bad;
  context.globalAlpha = 0.22;
  context.fillRect(a, y, Math.max(2, b - a), 14);
  context.globalAlpha = 1;
  context.fillRect(a, y, 2, 14);
  context.fillStyle = palette.text;
  clippedText(context, bar.label, a + 6, y + 7.5, Math.min(width, x(next)) - a - 10);
}

interface Box {
  readonly y: number;
  readonly height: number;
}

function drawSegment(
  canvas: Canvas,
  segment: Segment,
  { y, height }: Box,
  x: Scale,
  colour: string,
  alpha: number,
): void {
  const { context, left, width, palette } = canvas;
  const a = Math.max(left, x(segment.from));
  const b = Math.min(width, x(segment.to));
  if (b < left || a > width) return;
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  context.fillRect(a, y + 2, Math.max(1, b - a - 0.5), height - 4);
  context.globalAlpha = 1;
  context.fillStyle = palette.text;
  clippedText(context, segment.label, a + 4, y + height / 2 + 0.5, b - a - 6);
}

function drawNode(canvas: Canvas, node: LaneNode, row: Box, x: Scale): void {
  const { context, palette, left, width } = canvas;
  for (const segment of node.role) {
    const leads = segment.tone === "leading" || segment.tone === "elected";
    const colour = leads
      ? palette.accent
      : segment.tone === "looking"
        ? palette.warn
        : palette.good;
    drawSegment(
      canvas,
      segment,
      row,
      x,
      colour,
      leads ? 0.3 : segment.tone === "looking" ? 0.3 : 0.13,
    );
  }
  for (const segment of node.life) {
    const a = Math.max(left, x(segment.from));
    const b = Math.min(width, x(segment.to));
    if (b < left || a > width) continue;
    context.fillStyle = palette.panel;
    context.fillRect(a, row.y + 2, b - a, row.height - 4);
    context.fillStyle = segment.tone === "paused" ? palette.warn : palette.text;
    context.globalAlpha = segment.tone === "paused" ? 0.5 : 0.72;
    context.fillRect(a, row.y + row.height / 2 - 2.5, Math.max(1, b - a), 5);
    context.globalAlpha = 1;
    if (segment.label === "" || b - a < 50) continue;
    const words = textWidth(context, segment.label);
    context.fillStyle = palette.panel;
    context.fillRect(a + 6, row.y + 2, words + 8, row.height - 4);
    context.fillStyle = palette.text;
    context.fillText(segment.label, a + 10, row.y + row.height / 2 + 0.5);
  }
  for (const segment of node.cut) {
    const begin = Math.max(segment.from, x.invert(left));
    const other = x.invert(Math.max(left, x(segment.from)) + 50);
    // The node's own words come first where both begin at one place.
    const free = !node.life.some(({ from, to }) => from < other && to > begin);
    hatch(canvas, segment, row, x, free);
  }
}

/** Slanted lines: told from colours also in print. */
function hatch(
  canvas: Canvas,
  segment: Segment,
  { y, height }: Box,
  x: Scale,
  labelled: boolean,
): void {
  const { context, palette, left, width } = canvas;
  const a = Math.max(left, x(segment.from));
  const b = Math.min(width, x(segment.to));
  if (b <= a) return;
  context.save();
  context.beginPath();
  context.rect(a, y + 2, b - a, height - 4);
  context.clip();
  context.strokeStyle = palette.bad;
  context.globalAlpha = 0.7;
  context.beginPath();
  for (let at = a - height; at < b; at += 6) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
  context.fillStyle = palette.panel;
  const words = textWidth(context, segment.label);
  if (!labelled || b - a < words + 16) return;
  context.fillRect(a + 5, y + 3, words + 6, height - 6);
  context.fillStyle = palette.bad;
  context.fillText(segment.label, a + 8, y + height / 2 + 0.5);
}

function drawPartition(canvas: Canvas, lane: PartitionLane, row: Box, x: Scale, end: number): void {
  lane.states.forEach((state, i) => {
    const to = lane.states[i + 1]?.at ?? end;
    const none = state.leader < 0;
    const leader = none ? "no leader" : `b${state.leader} leads`;
    const label = `${leader} · e${state.leaderEpoch} · ISR ${state.isr.join(",")}`;
    const segment: Segment = { from: state.at, to, tone: "", label };
    const colour = none ? canvas.palette.bad : epochColour(state.leaderEpoch);
    drawSegment(canvas, segment, row, x, colour, none ? 0.2 : 0.3);
  });
}

/** Ticks per pixel: outcome by colour and by place, so that colour is not needed. */
function drawClient(canvas: Canvas, client: ClientLane, row: Box, x: Scale): void {
  const { palette } = canvas;
  ticks(canvas, client.polled, row.y + 5, 8, palette.accent, x);
  ticks(canvas, client.ok, row.y + 8, 7, palette.good, x);
  ticks(canvas, client.indeterminate, row.y + 4, 10, palette.warn, x);
  ticks(canvas, client.failed, row.y + 2, 7, palette.bad, x);
}

function ticks(
  { context, left, width }: Canvas,
  times: readonly number[],
  y: number,
  height: number,
  colour: string,
  x: Scale,
): void {
  if (times.length === 0) return;
  context.fillStyle = colour;
  let index = lastAtOrBefore(times, x.invert(left)) + 1;
  while (index < times.length) {
    const pixel = Math.floor(x(times[index] as number));
    if (pixel > width) return;
    const next = lastAtOrBefore(times, x.invert(pixel + 1)) + 1;
    const many = Math.max(1, next - index);
    context.globalAlpha = Math.min(1, 0.55 + many * 0.12);
    context.fillRect(pixel, y, 1, height);
    index = Math.max(index + 1, next);
  }
  context.globalAlpha = 1;
}

function drawFindings(
  { context, palette, height, left, width }: Canvas,
  timeline: Timeline,
  x: Scale,
) {
  const { violations, outside } = timeline.recording.trial;
  const draw = (at: number, colour: string) => {
    const pixel = Math.round(x(at)) + 0.5;
    if (pixel < left || pixel > width) return;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(pixel, 14);
    context.lineTo(pixel, height);
    context.stroke();
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(pixel - 5, 14);
    context.lineTo(pixel + 5, 14);
    context.lineTo(pixel, 22);
    context.fill();
  };
  for (const { at } of outside.slice(0, 1)) draw(at, palette.warn);
  for (const { at } of violations) draw(at, palette.bad);
}

/** The stretch that the messages below show. */
function drawDetail(canvas: Canvas, { from, to }: { from: number; to: number }, x: Scale): void {
  const { context, palette, left, width, height } = canvas;
  const a = Math.max(left, x(from));
  const b = Math.min(width, Math.max(x(to), a + 2));
  if (b < left || a > width) return;
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.16;
  context.fillRect(a, AXIS_HEIGHT - 2, b - a, height);
  context.globalAlpha = 1;
  context.fillRect(a, height - 3, b - a, 3);
}

export function drawCursor({ context, palette, height, left, width }: Canvas, at: number): void {
  if (at < left || at > width) return;
  const pixel = Math.round(at) + 0.5;
  context.strokeStyle = palette.text;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(pixel, 0);
  context.lineTo(pixel, height);
  context.stroke();
}
