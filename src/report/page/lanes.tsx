/** The lanes of a trial: what every node, partition and client went through, over time. */
import { useMemo } from "preact/hooks";
import { drawCursor, drawLanes, drawReadings, timeScale } from "./draw-lanes.ts";
import { layoutRows, type Row, rowWords } from "./lane-rows.ts";
import { TimeCanvas } from "./time-canvas.tsx";
import type { Timeline } from "./timeline.ts";
import type { ViewModel } from "./view-model.ts";
import { digitsFor, seconds } from "./words.ts";

export interface LanesProps {
  readonly timeline: Timeline;
  readonly view: ViewModel;
  readonly partition: number;
  readonly onPartition: (partition: number) => void;
  readonly id: string;
  readonly title: string;
}

export function Lanes({ timeline, view, partition, onPartition, id, title }: LanesProps) {
  const { rows, height } = useMemo(() => layoutRows(timeline, partition), [timeline, partition]);
  const rowAt = (y: number): Row | undefined =>
    rows.find((row) => y >= row.y && y < row.y + row.height);
  return (
    <TimeCanvas
      id={id}
      view={view}
      height={height}
      label={`${title}. Arrow keys pan, plus and minus zoom, 0 shows the whole trial.`}
      draw={(canvas) => {
        drawLanes(canvas, timeline, rows, view);
        drawReadings(canvas, rows, view.cursor);
        drawCursor(canvas, timeScale(canvas, view)(view.cursor));
      }}
      onPoint={(x, y, canvas) => {
        const row = rowAt(y);
        if (row === undefined || x < canvas.left) return null;
        const at = timeScale(canvas, view).invert(x);
        const digits = digitsFor(view.to - view.from);
        return `${seconds(at, digits + 1)}  ${rowWords(timeline, row, at)}`;
      }}
      onClick={(_x, y, canvas) => {
        const row = rowAt(y);
        if (row?.kind === "partition" && (_x < canvas.left || !row.open)) {
          onPartition(row.partition.index);
          return _x < canvas.left;
        }
        return false;
      }}
    />
  );
}

/** What the drawing's signs mean. */
export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      <li>
        <i class="sign area" /> log by leader epoch, height is the offset
      </li>
      <li>
        <i class="sign line" /> high watermark
      </li>
      <li>
        <i class="sign bar" /> acts as leader
      </li>
      <li>
        <i class="sign cut" /> truncated
      </li>
      <li>
        <i class="sign hatch" /> cut off
      </li>
      <li>
        <i class="sign down" /> down
      </li>
      <li>
        <i class="sign ok" /> acknowledged
      </li>
      <li>
        <i class="sign fail" /> failed
      </li>
      <li>
        <i class="sign info" /> indeterminate
      </li>
      <li>
        <i class="sign poll" /> polled
      </li>
    </ul>
  );
}
