/** Draws messages as arrows between nodes over time, and what nodes observe as marks on their lines. */
import type { Canvas } from "./canvas.ts";
import { drawAxis, timeScale } from "./draw-lanes.ts";
import { AXIS_HEIGHT } from "./lane-rows.ts";
import { classOf, type MessageClass } from "./message-filter.ts";
import type { Palette } from "./palette.ts";
import { lastAtOrBefore } from "./replica-log.ts";
import { FONT, textWidth } from "./text-width.ts";
import type { LaneNode, Timeline } from "./timeline.ts";
import type { ViewModel } from "./view-model.ts";

const LINE_HEIGHT = 38;
/** Above so many arrows in sight, they become thin and lose their words. */
const SINGLE_MAX = 260;
const WORDS_MAX = 26;
/** Where along an arrow its words are: in turn, so that neighbours do not cover each other. */
const PLACES = [0.25, 0.45, 0.65];

export function messagesHeight(nodes: readonly LaneNode[]): number {
  return AXIS_HEIGHT + nodes.length * LINE_HEIGHT + 12;
}

export function lineOf(nodes: readonly LaneNode[]): Map<number, number> {
  return new Map(nodes.map(({ id }, i) => [id, AXIS_HEIGHT + 20 + i * LINE_HEIGHT]));
}

export function colourOf(kind: MessageClass, palette: Palette): string {
  switch (kind) {
    case "produce":
      return palette.accent;
    case "fetch":
      return palette.muted;
    case "control":
      return palette.bad;
    case "keeper":
      return palette.good;
    default:
      return palette.warn;
  }
}

export interface MessageDrawing {
  readonly timeline: Timeline;
  readonly view: ViewModel;
  readonly nodes: readonly LaneNode[];
  /** Numbers of the messages that pass the filter, in the order of sending. */
  readonly messages: readonly number[];
}

/** Numbers of the messages in sight. */
export function inSight({ view, messages }: MessageDrawing): number[] {
  const found: number[] = [];
  for (const number of messages) {
    const [sentAt, arrivedAt] = view.window.messages[
      number
    ] as (typeof view.window.messages)[number];
    if (sentAt > view.detail.to) break;
    if (arrivedAt >= view.detail.from || (arrivedAt < 0 && sentAt >= view.detail.from))
      found.push(number);
  }
  return found;
}

export function drawMessages(canvas: Canvas, drawing: MessageDrawing): void {
  const { context, width, height, left, palette } = canvas;
  const { timeline, view, nodes } = drawing;
  const x = timeScale(canvas, view.detail);
  const lines = lineOf(nodes);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  drawAxis(canvas, timeline, view.detail, x);
  drawUnrecorded(canvas, view, x);
  context.save();
  context.beginPath();
  context.rect(left, AXIS_HEIGHT, width - left, height);
  context.clip();
  for (const node of nodes) drawLine(canvas, node, lines.get(node.id) as number, x);
  drawArrows(canvas, drawing, lines, x);
  drawMarks(canvas, drawing, lines, x);
  context.restore();
  context.textAlign = "right";
  for (const node of nodes) {
    context.fillStyle = palette.text;
    context.fillText(node.name, left - 8, lines.get(node.id) as number);
  }
  context.textAlign = "left";
}

type Scale = ReturnType<typeof timeScale>;

function drawUnrecorded(canvas: Canvas, { window }: ViewModel, x: Scale): void {
  const { context, left, width, height, palette } = canvas;
  context.fillStyle = palette.quiet;
  context.globalAlpha = 0.22;
  const from = Math.min(width, x(window.from));
  if (from > left) context.fillRect(left, AXIS_HEIGHT, from - left, height);
  const to = Math.max(left, x(window.to));
  if (to < width) context.fillRect(to, AXIS_HEIGHT, width - to, height);
  context.globalAlpha = 1;
}

function drawLine({ context, left, width, palette }: Canvas, node: LaneNode, y: number, x: Scale) {
  context.strokeStyle = palette.quiet;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(width, y);
  context.stroke();
  for (const { from, to, tone } of node.life) {
    const a = Math.max(left, x(from));
    const b = Math.min(width, x(to));
    if (b <= a) continue;
    context.strokeStyle = palette.panel;
    context.lineWidth = 3;
    context.beginPath();
    context.moveTo(a, y);
    context.lineTo(b, y);
    context.stroke();
    context.strokeStyle = tone === "paused" ? palette.warn : palette.text;
    context.lineWidth = 1.5;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(a, y);
    context.lineTo(b, y);
    context.stroke();
    context.setLineDash([]);
  }
}

/** True when an arrow belongs to the causal past that is shown, or none is. */
export function inPast(view: ViewModel, to: number, arrivedAt: number): boolean {
  const { past } = view;
  return past === null || (arrivedAt >= 0 && arrivedAt <= (past[to] ?? -1));
}

/** Arrows of one look: drawn with one stroke and one fill. */
interface Bundle {
  readonly colour: string;
  readonly alpha: number;
  readonly lines: Path2D;
  readonly heads: Path2D;
}

function drawArrows(
  canvas: Canvas,
  drawing: MessageDrawing,
  lines: ReadonlyMap<number, number>,
  x: Scale,
): void {
  const { context, palette } = canvas;
  const { view } = drawing;
  const { messages, types } = view.window;
  const visible = inSight(drawing);
  const single = visible.length <= SINGLE_MAX;
  const worded = visible.length <= WORDS_MAX;
  const bundles = new Map<string, Bundle>();
  const later: (() => void)[] = [];
  const boxes: Box[] = [];
  for (const number of visible) {
    const [sentAt, arrivedAt, from, to, type] = messages[number] as (typeof messages)[number];
    const y1 = lines.get(from);
    const y2 = lines.get(to);
    if (y1 === undefined || y2 === undefined) continue;
    const strong = number === view.message || number === view.hovered;
    const name = types[type] as string;
    const lost = arrivedAt < 0;
    const colour = lost ? palette.bad : colourOf(classOf(name), palette);
    const alpha = inPast(view, to, arrivedAt) ? (single || strong ? 0.95 : 0.4) : 0.1;
    const key = `${colour} ${alpha}`;
    let bundle = bundles.get(key);
    if (bundle === undefined) {
      bundle = { colour, alpha, lines: new Path2D(), heads: new Path2D() };
      bundles.set(key, bundle);
    }
    const a = x(sentAt);
    const b = lost ? a + Math.min(60, Math.abs(y2 - y1) / 2) : x(arrivedAt);
    const end = lost ? y1 + (y2 - y1) * 0.55 : y2;
    bundle.lines.moveTo(a, y1);
    bundle.lines.lineTo(b, end);
    if (!lost && (single || strong)) addHead(bundle.heads, a, y1, b, end);
    if (!(lost || strong || worded)) continue;
    const place = PLACES[number % PLACES.length] as number;
    // Crosses, the picked arrow and words lie above all arrows.
    later.push(() => {
      context.strokeStyle = colour;
      context.fillStyle = colour;
      context.globalAlpha = alpha;
      if (lost) drawCross(context, b, end);
      if (strong) {
        context.lineWidth = 2.5;
        context.beginPath();
        context.moveTo(a, y1);
        context.lineTo(b, end);
        context.stroke();
      }
      if (strong || worded) drawWords(canvas, name, strong, boxes, place, a, y1, b, end);
    });
  }
  for (const { colour, alpha, lines: strokes, heads } of bundles.values()) {
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.globalAlpha = alpha;
    context.lineWidth = single ? 1.2 : 0.7;
    context.stroke(strokes);
    context.fill(heads);
  }
  for (const draw of later) draw();
  context.globalAlpha = 1;
}

const HEAD_LENGTH = 7;
const HEAD_HALF_WIDTH = 2.6;

function addHead(path: Path2D, x1: number, y1: number, x2: number, y2: number): void {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length === 0) return;
  const dx = (x2 - x1) / length;
  const dy = (y2 - y1) / length;
  const x = x2 - HEAD_LENGTH * dx;
  const y = y2 - HEAD_LENGTH * dy;
  path.moveTo(x2, y2);
  path.lineTo(x + HEAD_HALF_WIDTH * dy, y - HEAD_HALF_WIDTH * dx);
  path.lineTo(x - HEAD_HALF_WIDTH * dy, y + HEAD_HALF_WIDTH * dx);
}

/** Where words are already: [left, top, right]. */
type Box = readonly [left: number, top: number, right: number];

function drawCross(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - 4, y - 4);
  context.lineTo(x + 4, y + 4);
  context.moveTo(x + 4, y - 4);
  context.lineTo(x - 4, y + 4);
  context.stroke();
}

/** An arrow's name beside it; where other words are already, only that of the picked one. */
function drawWords(
  { context, palette }: Canvas,
  words: string,
  strong: boolean,
  boxes: Box[],
  share: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  const x = x1 + (x2 - x1) * share + 5;
  const y = y1 + (y2 - y1) * share;
  const room = textWidth(context, words);
  const covers = ([left, top, right]: Box) =>
    Math.abs(top - y) < 13 && x < right && x + room > left;
  if (!strong && boxes.some(covers)) return;
  boxes.push([x, y, x + room]);
  const colour = context.fillStyle;
  const { globalAlpha } = context;
  context.globalAlpha = globalAlpha * 0.85;
  context.fillStyle = palette.panel;
  context.fillRect(x - 2, y - 7, room + 4, 14);
  context.globalAlpha = globalAlpha;
  context.fillStyle = colour;
  context.fillText(words, x, y);
}

/** Transitions as dots, with their words where there is room. */
function drawMarks(
  canvas: Canvas,
  { timeline, view, nodes }: MessageDrawing,
  lines: ReadonlyMap<number, number>,
  x: Scale,
): void {
  const { context, palette } = canvas;
  const { transitions } = timeline;
  let index = lastAtOrBefore(timeline.transitionTimes, view.detail.from) + 1;
  const ends = new Map<number, number>(nodes.map(({ id }) => [id, Number.NEGATIVE_INFINITY]));
  for (; index < transitions.length; index++) {
    const [at, node, , mark, says] = transitions[index] as (typeof transitions)[number];
    if (at > view.detail.to) return;
    const y = lines.get(node);
    if (y === undefined) continue;
    const pixel = x(at);
    const past = view.past === null || at <= (view.past[node] ?? -1);
    context.globalAlpha = past ? 1 : 0.2;
    context.fillStyle = mark === "<" || mark === "#" || mark === "X" ? palette.bad : palette.text;
    context.beginPath();
    context.arc(pixel, y, 3.5, 0, Math.PI * 2);
    context.fill();
    const words = says as string;
    const room = textWidth(context, words);
    if (pixel < (ends.get(node) as number)) continue;
    ends.set(node, pixel + room + 10);
    context.fillStyle = palette.panel;
    context.fillRect(pixel + 6, y - 17, room + 4, 12);
    context.fillStyle = palette.text;
    context.fillText(words, pixel + 8, y - 11);
  }
  context.globalAlpha = 1;
}
