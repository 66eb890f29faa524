/** Steps through the trial and sets the span: everything also by keyboard. */
import { useEffect, useState } from "preact/hooks";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { digitsFor, seconds } from "./words.ts";

export interface ToolbarProps {
  readonly timeline: Timeline;
  readonly view: ViewModel;
}

export function Toolbar({ timeline, view }: ToolbarProps) {
  useView(view, () => `${view.cursor} ${view.node}`);
  const step = (forward: boolean, every: boolean) => stepFrom(timeline, view, forward, every);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const { target } = event;
      if (target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const forward = event.key === "]" || event.key === "." || event.key === "n";
      const back = event.key === "[" || event.key === "," || event.key === "p";
      if (!forward && !back) return;
      step(forward, event.key === "." || event.key === ",");
      event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  });
  const last = timeline.transitionFrom(view.cursor + 1, false, view.node);
  return (
    <div class="toolbar" role="toolbar" aria-label="Steps and span">
      <span class="group">
        <button type="button" title="Transition before ( [ )" onClick={() => step(false, false)}>
          « transition
        </button>
        <button type="button" title="Event before ( , )" onClick={() => step(false, true)}>
          ‹ event
        </button>
        <button type="button" title="Next event ( . )" onClick={() => step(true, true)}>
          event ›
        </button>
        <button type="button" title="Next transition ( ] )" onClick={() => step(true, false)}>
          transition »
        </button>
      </span>
      <label>
        of{" "}
        <select
          aria-label="Whose steps"
          value={view.node === null ? "" : String(view.node)}
          onChange={({ currentTarget }) =>
            view.set({ node: currentTarget.value === "" ? null : Number(currentTarget.value) })
          }
        >
          <option value="">all nodes</option>
          {timeline.nodes.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <span class="group">
        <button type="button" title="Closer ( + )" onClick={() => view.zoom(0.5)}>
          +
        </button>
        <button type="button" title="Further off ( - )" onClick={() => view.zoom(2)}>
          −
        </button>
        <button type="button" title="Whole trial ( 0 )" onClick={() => view.look(0, view.end)}>
          all
        </button>
        <button
          type="button"
          title="Lanes over the span of the messages"
          onClick={() => view.look(view.detail.from, view.detail.to)}
        >
          close-up
        </button>
      </span>
      <SpanWords view={view} />
      <span class="now">
        <b class="time">{seconds(view.cursor)}</b>{" "}
        {last !== null && view.cursor - last[0] < 1
          ? `${timeline.nodes[last[1]]?.name} ${last[4]}`
          : ""}
      </span>
    </div>
  );
}

/** Milliseconds between two changes of the words while panning: each one costs the page a layout. */
const SPAN_EVERY = 150;

/** What the lanes show, of how much. */
function SpanWords({ view }: { readonly view: ViewModel }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | null = null;
    let shown = "";
    const release = view.subscribe(() => {
      const key = `${view.from} ${view.to}`;
      if (waiting !== null || key === shown) return;
      waiting = setTimeout(() => {
        waiting = null;
        shown = `${view.from} ${view.to}`;
        redraw((count) => count + 1);
      }, SPAN_EVERY);
    });
    return () => {
      release();
      if (waiting !== null) clearTimeout(waiting);
    };
  }, [view]);
  const digits = digitsFor(view.to - view.from);
  const whole = view.from <= 0 && view.to >= view.end;
  return (
    <output class="span">
      {seconds(view.from, digits)} – {seconds(view.to, digits)}
      {whole ? "" : ` of ${seconds(view.end, 1)}`}
    </output>
  );
}

/** The messages around the moment that matters, so close that single ones can be told apart. */
export function lookClose(timeline: Timeline, view: ViewModel): void {
  const { focus } = timeline.recording;
  view.detail.look(focus.at - 40_000, focus.at + 25_000);
  view.moveTo(focus.at);
}

/** To the next transition, or the next event of the window; of the chosen node or of all. */
export function stepFrom(
  timeline: Timeline,
  view: ViewModel,
  forward: boolean,
  every: boolean,
): void {
  const transition = timeline.transitionFrom(view.cursor, forward, view.node)?.[0];
  if (!every) {
    if (transition !== undefined) view.moveTo(transition);
    return;
  }
  let best = transition ?? (forward ? Number.POSITIVE_INFINITY : -1);
  const consider = (at: number, node: number) => {
    if (at < 0 || (view.node !== null && node !== view.node)) return;
    if (forward ? at > view.cursor && at < best : at < view.cursor && at > best) best = at;
  };
  const { messages, observations } = view.window;
  for (const [sentAt, arrivedAt, from, to] of messages) {
    consider(sentAt, from);
    consider(arrivedAt, to);
  }
  for (const [at, node] of observations) consider(at, node);
  if (Number.isFinite(best) && best >= 0) view.moveTo(best);
}
