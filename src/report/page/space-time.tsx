/** The space-time diagram: messages between nodes in the span, filtered, folded, picked. */
import { useMemo, useState } from "preact/hooks";
import type { Canvas } from "./canvas.ts";
import { drawCursor, timeScale } from "./draw-lanes.ts";
import {
  drawMessages,
  inSight,
  lineOf,
  type MessageDrawing,
  messagesHeight,
} from "./draw-messages.ts";
import { MessageCard } from "./message-card.tsx";
import { filterMessages, messageWords } from "./message-filter.ts";
import { TimeCanvas } from "./time-canvas.tsx";
import type { Timeline } from "./timeline.ts";
import { lookClose } from "./toolbar.tsx";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";

export interface SpaceTimeProps {
  readonly timeline: Timeline;
  readonly view: ViewModel;
  /** Records the messages around the cursor; says how it goes. */
  readonly onLoad: () => void;
  readonly loading: string | null;
}

const GROUPS = ["zookeeper", "broker", "client"] as const;

export function SpaceTime({ timeline, view, onLoad, loading }: SpaceTimeProps) {
  useView(
    view,
    () =>
      `${view.window.from} ${view.message} ${view.partition} ${farOff(view)} ${outOfWindow(view)}`,
  );
  const [type, setType] = useState("");
  const [partition, setPartition] = useState("all");
  const [heartbeats, setHeartbeats] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(() => silent(timeline, view));
  const nodes = timeline.nodes.filter(({ id }) => !hidden.has(id));
  const { window } = view;
  const messages = useMemo(
    () =>
      filterMessages(window, {
        type,
        partition: partition === "all" ? -1 : Number(partition),
        heartbeats,
        hidden,
      }),
    [window, type, partition, heartbeats, hidden],
  );
  const drawing: MessageDrawing = { timeline, view, nodes, messages };
  const toggle = (ids: readonly number[]) => {
    const next = new Set(hidden);
    const hide = ids.some((id) => !next.has(id));
    for (const id of ids) {
      if (hide) next.add(id);
      else next.delete(id);
    }
    setHidden(next);
  };
  return (
    <div class="space-time">
      <div class="filters">
        <label>
          type{" "}
          <select
            aria-label="Type of message"
            value={type}
            onChange={(e) => setType(e.currentTarget.value)}
          >
            <option value="">all</option>
            {[...window.types].sort().map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          partition{" "}
          <select
            aria-label="Partition of messages"
            value={partition}
            onChange={(e) => setPartition(e.currentTarget.value)}
          >
            <option value="all">all</option>
            {timeline.recording.partitions.map((name, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input type="checkbox" checked={heartbeats} onChange={() => setHeartbeats(!heartbeats)} />{" "}
          heartbeats
        </label>
        <fieldset class="nodes" aria-label="Nodes that are shown">
          {GROUPS.map((group) => {
            const ids = timeline.nodes
              .filter((node) => inGroup(node.group, group))
              .map(({ id }) => id);
            return (
              <button
                key={group}
                type="button"
                aria-pressed={ids.some((id) => !hidden.has(id))}
                onClick={() => toggle(ids)}
              >
                {group === "client" ? "clients" : group === "broker" ? "brokers" : "ZooKeeper"}
              </button>
            );
          })}
          {timeline.nodes.map(({ id, name }) => (
            <button
              key={id}
              class="node"
              type="button"
              aria-pressed={!hidden.has(id)}
              onClick={() => toggle([id])}
            >
              {name}
            </button>
          ))}
        </fieldset>
      </div>
      <TimeCanvas
        id="messages"
        view={view.detail}
        height={messagesHeight(nodes)}
        label={`Messages between nodes, ${messages.length} in the recorded window. The list of events below says them in words.`}
        draw={(canvas) => {
          drawMessages(canvas, drawing);
          drawCursor(canvas, timeScale(canvas, view.detail)(view.cursor));
        }}
        onPoint={(x, y, canvas) => {
          const number = nearest(drawing, canvas, x, y);
          if (number !== view.hovered) view.set({ hovered: number });
          if (number === null) return null;
          return messageWords(
            timeline,
            window,
            window.messages[number] as (typeof window.messages)[number],
          );
        }}
        onClick={(x, y, canvas) => {
          const number = nearest(drawing, canvas, x, y);
          if (number === null) return false;
          view.set({ message: number });
          return true;
        }}
      />
      <p class="note hints">
        <span>
          <i class="sign arrow produce" /> produce
        </span>
        <span>
          <i class="sign arrow fetch" /> fetch
        </span>
        <span>
          <i class="sign arrow control" /> controller, ISR
        </span>
        <span>
          <i class="sign arrow keeper" /> ZooKeeper
        </span>
        <span>
          <i class="sign arrow other" /> other
        </span>
        <span>✕ never arrived</span>
        {farOff(view) && (
          <button type="button" onClick={() => lookClose(timeline, view)}>
            Look at the moment that matters
          </button>
        )}
        {outOfWindow(view) && (
          <button type="button" id="load-window" disabled={loading !== null} onClick={onLoad}>
            {loading ?? "Simulate again for the messages around the cursor"}
          </button>
        )}
      </p>
      <MessageCard timeline={timeline} view={view} />
    </div>
  );
}

/** Nodes without a message in the window are folded away at first. */
function silent(timeline: Timeline, { window }: ViewModel): ReadonlySet<number> {
  const heard = new Set(window.messages.flatMap(([, , from, to]) => [from, to]));
  const servers = (group: string) => group === "broker" || group === "zookeeper";
  const unheard = timeline.nodes.filter(({ id, group }) => !heard.has(id) && !servers(group));
  return new Set(unheard.map(({ id }) => id));
}

function farOff(view: ViewModel): boolean {
  return view.detail.to - view.detail.from > 3e6;
}

function outOfWindow(view: ViewModel): boolean {
  return view.cursor < view.window.from || view.cursor > view.window.to;
}

function inGroup(group: string, wanted: (typeof GROUPS)[number]): boolean {
  return wanted === "client" ? group !== "broker" && group !== "zookeeper" : group === wanted;
}

/** The arrow under the pointer. */
function nearest(drawing: MessageDrawing, canvas: Canvas, px: number, py: number): number | null {
  const { view, nodes } = drawing;
  const x = timeScale(canvas, view.detail);
  const lines = lineOf(nodes);
  let best: number | null = null;
  let distance = 7;
  for (const number of inSight(drawing)) {
    const [sentAt, arrivedAt, from, to] = view.window.messages[
      number
    ] as (typeof view.window.messages)[number];
    const y1 = lines.get(from);
    const y2 = lines.get(to);
    if (y1 === undefined || y2 === undefined) continue;
    const x1 = x(sentAt);
    const x2 = arrivedAt < 0 ? x1 + Math.min(60, Math.abs(y2 - y1) / 2) : x(arrivedAt);
    const end = arrivedAt < 0 ? y1 + (y2 - y1) * 0.55 : y2;
    const length = (x2 - x1) ** 2 + (end - y1) ** 2;
    const share = Math.max(
      0,
      Math.min(1, ((px - x1) * (x2 - x1) + (py - y1) * (end - y1)) / length),
    );
    const away = Math.hypot(px - x1 - share * (x2 - x1), py - y1 - share * (end - y1));
    if (away < distance) {
      distance = away;
      best = number;
    }
  }
  return best;
}
