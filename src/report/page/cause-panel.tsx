/** The transitions that led to the finding; the diagram dims what is not in its causal past. */
import { useEffect, useMemo } from "preact/hooks";
import { causalPast, causes, nodesOfFinding } from "./causality.ts";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { seconds } from "./words.ts";

/** The last so many; what lies further back seldom tells more. */
const STEPS_MAX = 60;

export function CausePanel({ timeline, view }: { timeline: Timeline; view: ViewModel }) {
  useView(view, () => `${view.partition} ${view.cursor} ${view.window.from}`);
  const { violations, outside } = timeline.recording.trial;
  const at = (violations[0] ?? outside[0])?.at ?? timeline.recording.focus.at;
  const { window } = view;
  const past = useMemo(
    () => causalPast(timeline, window, nodesOfFinding(timeline), at),
    [timeline, window, at],
  );
  useEffect(() => {
    view.set({ past });
    return () => view.set({ past: null });
  }, [past]);
  const partition = timeline.recording.partitions[view.partition] ?? "";
  const all = useMemo(() => causes(timeline, past, partition), [timeline, past, partition]);
  const steps = all.slice(-STEPS_MAX);
  return (
    <div class="cause">
      <p class="note">
        What happened before, on the nodes it can have come from, up to {seconds(at, 3)}: faults,
        elections, sessions, and what concerns {partition}. In the messages, all that cannot have
        led there is dimmed.
        {all.length > steps.length && ` The last ${steps.length} of ${all.length}.`}
      </p>
      <ol class="steps-list">
        {steps.map(([time, node, fact, mark, says], i) => (
          <li
            key={i}
            class={fact.kind.startsWith("Fault") ? "fault" : time === view.cursor ? "here" : ""}
          >
            <button type="button" class="link" onClick={() => view.moveTo(time)}>
              {seconds(time)}
            </button>
            <b>{timeline.nodes[node]?.name}</b> <span class="mark">{mark}</span> {says}
          </li>
        ))}
        <li class="end">
          <button type="button" class="link" onClick={() => view.moveTo(at)}>
            {seconds(at)}
          </button>
          <b>finding</b> {(violations[0] ?? outside[0])?.saw ?? timeline.recording.focus.says}
        </li>
      </ol>
    </div>
  );
}
