/** The page of one trial: verdict, lanes, what happens at the cursor, and tools to look closer. */
import { useMemo, useState } from "preact/hooks";
import type { Recording } from "../recording/format.ts";
import { Lanes, Legend } from "./lanes.tsx";
import { StatePanel } from "./state-panel.tsx";
import { Timeline } from "./timeline.ts";
import { Toolbar } from "./toolbar.tsx";
import { Verdict } from "./verdict.tsx";
import { ViewModel } from "./view-model.ts";

export interface AppProps {
  readonly recording: Recording;
  readonly other: Recording | null;
}

export function App({ recording }: AppProps) {
  const timeline = useMemo(() => new Timeline(recording), [recording]);
  const [partition, setPartition] = useState(() => partitionOf(recording));
  const view = useMemo(() => {
    const model = new ViewModel(timeline.end, recording.focus.at, partition);
    return model;
  }, [timeline]);
  const choose = (index: number) => {
    setPartition(index);
    view.set({ partition: index, offset: null });
  };
  return (
    <>
      <Header recording={recording} />
      <main>
        <Verdict timeline={timeline} view={view} onMoment={(at) => view.moveTo(at)} />
        <section class="timeline" aria-label="Timeline">
          <Toolbar timeline={timeline} view={view} />
          <Lanes
            id="lanes"
            title="Lanes of the trial"
            timeline={timeline}
            view={view}
            partition={partition}
            onPartition={choose}
          />
          <Legend />
        </section>
        <div class="columns">
          <StatePanel timeline={timeline} view={view} onOffset={(offset) => view.set({ offset })} />
        </div>
      </main>
    </>
  );
}

function partitionOf({ trial, partitions }: Recording): number {
  const finding = trial.violations[0] ?? trial.outside[0];
  const index = partitions.indexOf(`${finding?.topic}-${finding?.partition}`);
  return Math.max(0, index);
}

function Header({ recording }: { readonly recording: Recording }) {
  const { trial } = recording;
  const word = trial.verdict.toUpperCase();
  return (
    <header class="top">
      <strong class={`badge ${trial.verdict}`}>{word}</strong>
      <span class="name">{trial.scenario.name}</span>
      <span class="seed">seed {trial.seed}</span>
      {trial.variant !== null && <span class="seed">variant {trial.variant}</span>}
      <span class="brand">kafka-trial</span>
      <ThemeButton />
    </header>
  );
}

function ThemeButton() {
  return (
    <button
      type="button"
      class="theme"
      aria-label="Switch between light and dark"
      onClick={() => {
        const { dataset } = document.documentElement;
        const dark =
          dataset["theme"] === "dark" ||
          (dataset["theme"] === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
        dataset["theme"] = dark ? "light" : "dark";
        dispatchEvent(new Event("trial-theme"));
      }}
    >
      ◐
    </button>
  );
}
