/** The page of one trial: verdict, lanes, what happens at the cursor, and tools to look closer. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Recording } from "../recording/format.ts";
import { CausePanel } from "./cause-panel.tsx";
import { changesFromHash, inputOf, isChanged, noChanges } from "./changes.ts";
import { ComparePanel } from "./compare-panel.tsx";
import { Header } from "./header.tsx";
import { Lanes, Legend } from "./lanes.tsx";
import { RunPanel } from "./run-panel.tsx";
import { SearchPanel } from "./search-panel.tsx";
import { simulateWindow } from "./simulator-client.ts";
import { SpaceTime } from "./space-time.tsx";
import { StatePanel } from "./state-panel.tsx";
import { Timeline } from "./timeline.ts";
import { Toolbar } from "./toolbar.tsx";
import { Verdict } from "./verdict.tsx";
import { ViewModel } from "./view-model.ts";
import { WayPanel } from "./way-panel.tsx";

export interface AppProps {
  readonly recording: Recording;
  readonly other: Recording | null;
}

const TABS = [
  ["messages", "Messages"],
  ["cause", "Cause"],
  ["way", "Record’s way"],
  ["search", "Search"],
  ["run", "Run again"],
  ["compare", "Compare"],
] as const;
type Tab = (typeof TABS)[number][0];

export function App(props: AppProps) {
  // What is shown: the file's own trial, or one that was run in the page.
  const [recording, setRecording] = useState(props.recording);
  const [other, setOther] = useState(props.other);
  const timeline = useMemo(() => new Timeline(recording), [recording]);
  const [partition, setPartition] = useState(() => partitionOf(recording));
  const [tab, setTab] = useState<Tab>(() => firstTab(props));
  const view = useMemo(
    () => new ViewModel(timeline.end, recording.focus.at, partition, recording.window),
    [timeline],
  );
  useEffect(() => view.changed(), [view, tab]);
  const choose = (index: number) => {
    setPartition(index);
    view.set({ partition: index, offset: null });
  };
  const changed = recording !== props.recording;
  return (
    <>
      <Header trial={recording.trial} />
      <main>
        {changed && (
          <p class="guarantee warn" role="status">
            This is a run of this page, not the one that the file was written for.{" "}
            <button type="button" onClick={() => setRecording(props.recording)}>
              Back to that one
            </button>
          </p>
        )}
        <Verdict timeline={timeline} view={view} onMoment={(at) => view.moveTo(at)} />
        <section class="timeline" aria-label="Timeline">
          <Toolbar timeline={timeline} view={view} />
          <Lanes
            id="lanes"
            key={recording.trial.fingerprint}
            title="Lanes of the trial"
            timeline={timeline}
            view={view}
            partition={partition}
            onPartition={choose}
          />
          <Legend />
        </section>
        <div class={tab === "compare" ? "columns wide" : "columns"}>
          <section class="panel" aria-label="Closer">
            <div class="tabs" role="tablist">
              {TABS.map(([id, label]) => (
                <button
                  key={id}
                  id={`tab-${id}`}
                  type="button"
                  role="tab"
                  aria-selected={tab === id}
                  aria-controls="tab-panel"
                  onClick={() => setTab(id)}
                >
                  {label}
                </button>
              ))}
            </div>
            <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
              {(tab === "messages" || tab === "cause") && (
                <Messages timeline={timeline} view={view} recording={recording} />
              )}
              {tab === "cause" && <CausePanel timeline={timeline} view={view} />}
              {tab === "way" && <WayPanel timeline={timeline} view={view} />}
              {tab === "search" && <SearchPanel timeline={timeline} view={view} />}
              {tab === "run" && (
                <RunPanel
                  recording={props.recording}
                  onShow={setRecording}
                  onCompare={(run) => {
                    setOther(run);
                    setTab("compare");
                  }}
                />
              )}
              {tab === "compare" && (
                <ComparePanel
                  timeline={timeline}
                  other={other}
                  view={view}
                  partition={partition}
                  onPartition={choose}
                />
              )}
            </div>
          </section>
          <StatePanel
            timeline={timeline}
            view={view}
            onOffset={(offset) => {
              view.set({ offset });
              if (tab !== "way") setTab("way");
            }}
          />
        </div>
      </main>
    </>
  );
}

/** Two runs are to be compared; an address with changes is to be run; else what happened comes first. */
function firstTab({ recording, other }: AppProps): Tab {
  if (other !== null) return "compare";
  const changes = changesFromHash(location.hash, recording);
  return changes !== null && isChanged(changes, recording) ? "run" : "messages";
}

interface MessagesProps {
  readonly timeline: Timeline;
  readonly view: ViewModel;
  readonly recording: Recording;
}

function Messages({ timeline, view, recording }: MessagesProps) {
  const [loading, setLoading] = useState<string | null>(null);
  const load = async () => {
    setLoading("simulates…");
    try {
      const input = inputOf(noChanges(recording), recording);
      view.set({ window: await simulateWindow(input, view.cursor), message: null, hovered: null });
      setLoading(null);
    } catch (error) {
      setLoading((error as Error).message);
    }
  };
  return (
    <SpaceTime
      key={recording.trial.fingerprint}
      timeline={timeline}
      view={view}
      onLoad={load}
      loading={loading}
    />
  );
}

function partitionOf({ trial, partitions }: Recording): number {
  const finding = trial.violations[0] ?? trial.outside[0];
  const index = partitions.indexOf(`${finding?.topic}-${finding?.partition}`);
  return Math.max(0, index);
}
