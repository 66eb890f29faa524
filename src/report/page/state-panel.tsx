/** The state of the cluster at the cursor; what the last change changed is marked. */
import { type LogCells, logCells, type StateTable, stateAt } from "./cluster-state.ts";
import { epochColour } from "./palette.ts";
import { lastAtOrBefore } from "./replica-log.ts";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { seconds } from "./words.ts";

export interface StatePanelProps {
  readonly timeline: Timeline;
  readonly view: ViewModel;
  readonly onOffset: (offset: number) => void;
}

/** Offsets side by side. */
const CELLS = 7;

export function StatePanel({ timeline, view, onOffset }: StatePanelProps) {
  useView(view, () => `${view.cursor} ${view.partition} ${view.offset}`);
  const { cursor, partition } = view;
  if (timeline.partitions.length === 0) return null;
  const before = lastChange(timeline, partition, cursor) - 1;
  const tables = stateAt(timeline, partition, cursor);
  const earlier = stateAt(timeline, partition, before);
  const finding = timeline.recording.trial.violations[0] ?? timeline.recording.trial.outside[0];
  const own =
    finding !== undefined &&
    `${finding.topic}-${finding.partition}` === timeline.recording.partitions[partition];
  const around = view.offset ?? (own ? (finding.offset ?? null) : null);
  const cells = logCells(timeline, partition, cursor, around, CELLS);
  return (
    <section class="state" aria-labelledby="state-title">
      <header>
        <h2 id="state-title">State at the cursor</h2>
        <output class="time" aria-live="polite">
          {seconds(cursor)} · {timeline.recording.partitions[partition]}
        </output>
      </header>
      <LogTable cells={cells} onOffset={onOffset} picked={view.offset} />
      {tables.map((table, i) => (
        <Table key={table.title} table={table} before={earlier[i] as StateTable} />
      ))}
      <p class="note">Marked: what the last change, at {seconds(before + 1)}, changed.</p>
    </section>
  );
}

function lastChange(timeline: Timeline, partition: number, at: number): number {
  const times = [timeline.factTimes[lastAtOrBefore(timeline.factTimes, at)] ?? 0];
  for (const replica of timeline.partitions[partition]?.replicas ?? []) {
    times.push(replica.at[replica.position(at)] ?? 0);
  }
  return Math.max(...times);
}

function Table({ table, before }: { readonly table: StateTable; readonly before: StateTable }) {
  return (
    <table>
      <caption>
        <b>{table.title}</b> {table.says}
      </caption>
      <thead>
        <tr>
          {table.columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, r) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            {row.cells.map((cell, c) => {
              const changed = before.rows[r]?.cells[c] !== cell;
              return (
                // Cells have no identity but their column.
                <td key={table.columns[c + 1]} class={changed ? "changed" : undefined}>
                  {cell}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface LogTableProps {
  readonly cells: LogCells;
  readonly picked: number | null;
  readonly onOffset: (offset: number) => void;
}

function LogTable({ cells, onOffset, picked }: LogTableProps) {
  return (
    <table class="log">
      <caption>
        <b>Logs</b> records by offset, coloured by leader epoch; ringed: replicas differ
      </caption>
      <thead>
        <tr>
          <th scope="col">offset</th>
          {cells.offsets.map((offset) => (
            <th key={offset} scope="col">
              <button
                type="button"
                class={offset === picked ? "offset on" : "offset"}
                title={`Follow offset ${offset}`}
                onClick={() => onOffset(offset)}
              >
                {offset}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {cells.rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            {row.cells.map((cell, i) => {
              const words = [cell.differs ? "differs" : "", cell.committed ? "" : "open", "cell"];
              return (
                <td key={cells.offsets[i]}>
                  {cell.epoch < 0 ? (
                    <span class="cell empty">·</span>
                  ) : (
                    <span
                      class={words.join(" ").trim()}
                      style={{ "--epoch": epochColour(cell.epoch) }}
                      title={`${cell.text}, epoch ${cell.epoch}, ${cell.committed ? "below" : "at or above"} the high watermark`}
                    >
                      <bdi>{cell.text}</bdi>
                    </span>
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
