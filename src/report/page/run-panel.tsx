/** The simulator in the page: another seed, a fault off or elsewhere, a setting; the new verdict at once. */
import { useEffect, useState } from "preact/hooks";
import { formatDuration, parseDuration } from "../../sim/time.ts";
import type { Recording } from "../recording/format.ts";
import {
  type Changes,
  changesFromHash,
  changesToHash,
  inputOf,
  isChanged,
  noChanges,
} from "./changes.ts";
import { simulate } from "./simulator-client.ts";
import { copyText } from "./verdict.tsx";
import { grouped, seconds } from "./words.ts";

export interface RunPanelProps {
  /** What the file carries: changes are changes to it. */
  readonly recording: Recording;
  /** Shows a run instead of what the page opened with. */
  readonly onShow: (recording: Recording) => void;
  /** Holds a run against it. */
  readonly onCompare: (recording: Recording) => void;
}

export function RunPanel({ recording, onShow, onCompare }: RunPanelProps) {
  const [changes, setChanges] = useState<Changes>(
    () => changesFromHash(location.hash, recording) ?? noChanges(recording),
  );
  const [outcome, setOutcome] = useState<Recording | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const change = (part: Partial<Changes>) => {
    const next = { ...changes, ...part };
    setChanges(next);
    history.replaceState(null, "", changesToHash(next, recording));
  };
  const run = async () => {
    setRunning(true);
    setError(null);
    try {
      setOutcome(await simulate(inputOf(changes, recording)));
    } catch (problem) {
      setError((problem as Error).message);
    }
    setRunning(false);
  };
  useEffect(() => {
    if (isChanged(changes, recording)) run();
  }, []);
  const { trial } = recording;
  return (
    <div class="run">
      <p class="filters">
        <label>
          seed{" "}
          <input
            id="run-seed"
            value={changes.seed}
            size={12}
            onInput={({ currentTarget: { value } }) =>
              // Another seed is another trial; only by wish one with this trial's cluster and faults.
              change({ seed: value, anew: value !== recording.trial.seed })
            }
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={changes.anew}
            onChange={() => change({ anew: !changes.anew })}
          />{" "}
          {recording.source === null
            ? "plan the faults anew from the seed; the cluster stays as it was drawn"
            : "draw cluster, settings and faults anew from the seed, as the scenario says"}
        </label>
      </p>
      {!changes.anew && <FaultList recording={recording} changes={changes} change={change} />}
      <Settings changes={changes} change={change} />
      <p class="filters">
        <button type="button" id="run-again" class="main" disabled={running} onClick={run}>
          {running ? "runs…" : "Run"}
        </button>
        <button type="button" onClick={() => change(noChanges(recording))}>
          No changes
        </button>
        <button type="button" onClick={() => copyText(location.href)}>
          Copy link
        </button>
        <span class="muted">
          {grouped(trial.events)} events took the first run; the address says what is changed.
        </span>
      </p>
      {error !== null && (
        <p class="guarantee bad" role="alert">
          {error}
        </p>
      )}
      {outcome !== null && (
        <OutcomeCard
          outcome={outcome}
          recording={recording}
          onShow={onShow}
          onCompare={onCompare}
        />
      )}
    </div>
  );
}

interface PartProps {
  readonly recording: Recording;
  readonly changes: Changes;
  readonly change: (part: Partial<Changes>) => void;
}

function FaultList({ recording, changes, change }: PartProps) {
  const { faults } = recording.trial.plan;
  if (faults.length === 0) return <p class="note">No faults in this trial.</p>;
  const words = new Map(recording.faults.map(({ fault, says }) => [JSON.stringify(fault), says]));
  return (
    <ul class="fault-list" aria-label="Faults">
      {faults.map((fault, i) => {
        const off = changes.off.includes(i);
        const moved = changes.moved.find(([number]) => number === i);
        const says = words.get(JSON.stringify(fault)) ?? `${fault.kind} ${fault.target}`;
        return (
          <li key={i} class={off ? "off" : ""}>
            <label>
              <input
                type="checkbox"
                checked={!off}
                onChange={() =>
                  change({
                    off: off
                      ? changes.off.filter((number) => number !== i)
                      : [...changes.off, i].sort((a, b) => a - b),
                  })
                }
              />{" "}
              {says}
            </label>{" "}
            at{" "}
            <input
              size={10}
              aria-label={`When: ${says}`}
              value={formatDuration(moved?.[1] ?? fault.at)}
              disabled={off}
              onChange={({ currentTarget }) => {
                const at = parseDuration(currentTarget.value);
                const others = changes.moved.filter(([number]) => number !== i);
                if (at === null) currentTarget.value = formatDuration(fault.at);
                change({ moved: at === null || at === fault.at ? others : [...others, [i, at]] });
              }}
            />
          </li>
        );
      })}
    </ul>
  );
}

function Settings({ changes, change }: Omit<PartProps, "recording">) {
  const [text, setText] = useState("");
  const add = () => {
    const equals = text.indexOf("=");
    if (equals <= 0) return;
    const entry = { key: text.slice(0, equals).trim(), value: text.slice(equals + 1).trim() };
    change({ set: [...changes.set.filter(({ key }) => key !== entry.key), entry] });
    setText("");
  };
  return (
    <div class="settings">
      <p class="filters">
        <input
          id="run-set"
          aria-label="Setting"
          placeholder="min.insync.replicas=2"
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Enter") add();
          }}
        />
        <button type="button" id="run-set-add" onClick={add}>
          Set
        </button>
        {changes.set.map(({ key, value }) => (
          <button
            key={key}
            type="button"
            class="chip"
            title="Take it back"
            onClick={() => change({ set: changes.set.filter((one) => one.key !== key) })}
          >
            {key}={value} ×
          </button>
        ))}
      </p>
    </div>
  );
}

interface OutcomeProps extends RunPanelProps {
  readonly outcome: Recording;
}

function OutcomeCard({ outcome, recording, onShow, onCompare }: OutcomeProps) {
  const { trial } = outcome;
  const finding = trial.violations[0] ?? trial.outside[0];
  const same = trial.fingerprint === recording.trial.fingerprint;
  return (
    <div class="outcome" id="outcome" role="status">
      <p>
        <strong class={`badge ${trial.verdict}`}>{trial.verdict.toUpperCase()}</strong>{" "}
        {trial.violations.length === 0 &&
          trial.outside[0] !== undefined &&
          `outside the guarantee, ${trial.outside[0].clause} `}
        <span class="mono" data-fingerprint={trial.fingerprint}>
          {trial.fingerprint}
        </span>
        {same ? " — the same run, to the last event" : ""}
      </p>
      <p>
        {finding === undefined
          ? "Nothing was found."
          : `${seconds(finding.at, 3)} ${finding.check}: ${finding.saw}`}
      </p>
      <p class="muted">
        {grouped(trial.events)} events, {grouped(trial.counts.acknowledged)} acknowledged,{" "}
        {grouped(trial.counts.failed)} failed, {grouped(trial.counts.indeterminate)} indeterminate
      </p>
      <p class="filters">
        <button type="button" id="show-run" onClick={() => onShow(outcome)}>
          Look at this run
        </button>
        <button type="button" id="compare-run" onClick={() => onCompare(outcome)}>
          Side by side with the first
        </button>
      </p>
    </div>
  );
}
