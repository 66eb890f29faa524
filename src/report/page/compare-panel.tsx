/** Two runs side by side: verdicts, lanes over the same time, transitions aligned. */
import { useMemo, useState } from "preact/hooks";
import type { Difference } from "../../trial/verify.ts";
import type { Recording } from "../recording/format.ts";
import { align } from "./align.ts";
import { inputOf, noChanges } from "./changes.ts";
import { Lanes } from "./lanes.tsx";
import { firstDifference } from "./simulator-client.ts";
import { Timeline } from "./timeline.ts";
import type { ViewModel } from "./view-model.ts";
import { grouped, seconds } from "./words.ts";

export interface ComparePanelProps {
  readonly timeline: Timeline;
  readonly other: Recording | null;
  readonly view: ViewModel;
  readonly partition: number;
  readonly onPartition: (partition: number) => void;
}

export function ComparePanel(props: ComparePanelProps) {
  if (props.other === null) {
    return (
      <p class="note">
        Nothing to compare with yet. Run the trial again with changes and choose “side by side”, or
        write the report with <code>npx trial view … --compare OTHER</code>.
      </p>
    );
  }
  return <Comparison {...props} other={props.other} />;
}

function Comparison({
  timeline,
  other,
  view,
  partition,
  onPartition,
}: ComparePanelProps & { other: Recording }) {
  const right = useMemo(() => new Timeline(other), [other]);
  const alignment = useMemo(() => align(timeline, right), [timeline, right]);
  const from = Math.max(0, alignment.first - 4);
  const rows = alignment.rows.slice(from, from + 60);
  return (
    <div class="compare">
      <Verdicts left={timeline.recording} right={other} />
      <EventDifference left={timeline.recording} right={other} />
      <h3>The other run, over the same time</h3>
      <Lanes
        id="lanes-other"
        title="Lanes of the other run"
        timeline={right}
        view={view}
        partition={partition}
        onPartition={onPartition}
      />
      <h3>Transitions, aligned</h3>
      <p class="note">
        {alignment.first < 0
          ? "Both runs go through the same transitions."
          : `The first ${alignment.first} are the same; the first difference is marked.`}
      </p>
      <table class="aligned">
        <thead>
          <tr>
            <th scope="col">this run</th>
            <th scope="col">the other</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr
              key={i}
              class={rowClass(
                row.left === null || row.right === null,
                from + i === alignment.first,
              )}
            >
              <td>
                {row.left !== null && <Step fact={row.left} timeline={timeline} view={view} />}
              </td>
              <td>
                {row.right !== null && <Step fact={row.right} timeline={right} view={view} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rowClass(differs: boolean, first: boolean): string {
  return first ? "first differs" : differs ? "differs" : "";
}

function Step({
  fact,
  timeline,
  view,
}: {
  fact: Timeline["transitions"][number];
  timeline: Timeline;
  view: ViewModel;
}) {
  const [at, node, , , says] = fact;
  return (
    <>
      <button type="button" class="link" onClick={() => view.moveTo(at)}>
        {seconds(at, 3)}
      </button>{" "}
      <b>{timeline.nodes[node]?.name}</b> {says}
    </>
  );
}

function Verdicts({ left, right }: { left: Recording; right: Recording }) {
  const rows: [string, (recording: Recording) => string][] = [
    ["verdict", ({ trial }) => trial.verdict],
    ["finding", ({ trial }) => (trial.violations[0] ?? trial.outside[0])?.check ?? "none"],
    ["clause", ({ trial }) => trial.outside[0]?.clause ?? "–"],
    ["seed", ({ trial }) => trial.seed],
    ["variant", ({ trial }) => trial.variant ?? "none"],
    [
      "set",
      ({ overrides }) => overrides.map(({ key, value }) => `${key}=${value}`).join(" ") || "–",
    ],
    ["faults", ({ faults }) => faults.map(({ says }) => says).join("; ") || "none"],
    ["events", ({ trial }) => grouped(trial.events)],
    ["acknowledged", ({ trial }) => grouped(trial.counts.acknowledged)],
    ["fingerprint", ({ trial }) => trial.fingerprint],
  ];
  return (
    <table class="verdicts">
      <thead>
        <tr>
          <th scope="col" />
          <th scope="col">this run</th>
          <th scope="col">the other</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, read]) => (
          <tr key={name} class={read(left) === read(right) ? "" : "differs"}>
            <th scope="row">{name}</th>
            <td>{read(left)}</td>
            <td>{read(right)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Event by event: both are run again. */
function EventDifference({ left, right }: { left: Recording; right: Recording }) {
  const [said, setSaid] = useState<Difference | null | string | undefined>(undefined);
  const find = async () => {
    setSaid("runs both…");
    // What was set is in the scenario already.
    const input = (recording: Recording) => inputOf(noChanges(recording), recording);
    try {
      setSaid(await firstDifference(input(left), input(right)));
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <p class="filters">
      <button type="button" id="first-difference" onClick={find}>
        Find the first event that differs
      </button>
      <span id="difference" role="status">
        {typeof said === "string" && said}
        {said === null && "They are the same to the last event."}
        {typeof said === "object" && said !== null && (
          <>
            event {grouped(said.event)}: <code>{said.first.slice(0, 160)}</code> here,{" "}
            <code>{said.second.slice(0, 160)}</code> there
          </>
        )}
      </span>
    </p>
  );
}
