/** First of all: what was broken, what proves it, whether Kafka promises it, and what to paste. */
import { useState } from "preact/hooks";
import type { Finding } from "../../checks/finding.ts";
import type { Recording } from "../recording/format.ts";
import type { Timeline } from "./timeline.ts";
import type { ViewModel } from "./view-model.ts";
import { grouped, seconds } from "./words.ts";

export interface VerdictProps {
  readonly timeline: Timeline;
  readonly onMoment: (at: number, finding: Finding | null) => void;
  readonly view: ViewModel;
}

export function Verdict({ timeline, onMoment }: VerdictProps) {
  const { recording } = timeline;
  const { trial } = recording;
  const finding = trial.violations[0] ?? trial.outside[0];
  const more = trial.violations.length + trial.outside.length - 1;
  return (
    <section class={`verdict ${trial.verdict}`} aria-labelledby="claim">
      <div class="claim">
        <Kicker recording={recording} />
        <h1 id="claim">{claimWords(recording)}</h1>
        {finding !== undefined && <Evidence finding={finding} onMoment={onMoment} />}
        {finding === undefined && <p class="evidence">{trial.scenario.says}</p>}
        {trial.why !== null && <p class="evidence">{trial.why.split("\n")[0]}</p>}
        <Guarantee recording={recording} />
        {more > 0 && <Further recording={recording} onMoment={onMoment} />}
        <Moments recording={recording} onMoment={onMoment} />
      </div>
      <Facts recording={recording} />
    </section>
  );
}

/** What follows is a claim; this line says what became of it. */
function Kicker({ recording }: { readonly recording: Recording }) {
  const { violations, outside } = recording.trial;
  if (violations.length > 0) return <p class="kicker violated">This claim was broken:</p>;
  if (outside.length === 0) return null;
  return <p class="kicker outside">This did not hold, and Kafka does not promise it here:</p>;
}

function claimWords({ trial }: Recording): string {
  const finding = trial.violations[0] ?? trial.outside[0];
  if (finding !== undefined) return finding.says;
  if (trial.verdict === "held") return "Everything that Kafka promises here held.";
  return "Nothing was proved.";
}

interface EvidenceProps {
  readonly finding: Finding;
  readonly onMoment: (at: number, finding: Finding | null) => void;
}

function Evidence({ finding, onMoment }: EvidenceProps) {
  return (
    <p class="evidence">
      <button type="button" class="at" onClick={() => onMoment(finding.at, finding)}>
        {seconds(finding.at, 3)}
      </button>{" "}
      {finding.saw} <span class="check">{finding.check}</span>
    </p>
  );
}

function Guarantee({ recording }: { readonly recording: Recording }) {
  const { violations, outside } = recording.trial;
  if (violations.length > 0) {
    return (
      <p class="guarantee bad">
        <b>Inside the guarantee.</b> Kafka promises this under the configuration of this trial
        {recording.trial.variant === null
          ? "."
          : `; the behaviour “${recording.trial.variant}”, which is known to be wrong, was on.`}
      </p>
    );
  }
  const first = outside[0];
  if (first === undefined) return null;
  return (
    <p class="guarantee warn">
      <b>Outside the guarantee, {first.clause}.</b> {sentence(first.because)}
    </p>
  );
}

function sentence(text: string): string {
  const end = text.endsWith(".") ? "" : ".";
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${end}`;
}

function Further({
  recording,
  onMoment,
}: {
  recording: Recording;
  onMoment: EvidenceProps["onMoment"];
}) {
  const { violations, outside } = recording.trial;
  const all = [...violations, ...outside].slice(1);
  return (
    <details class="further">
      <summary>{all.length === 1 ? "One more finding" : `${all.length} more findings`}</summary>
      <ul>
        {all.map((finding) => (
          <li key={`${finding.check} ${finding.at} ${finding.saw}`}>
            <Evidence finding={finding} onMoment={onMoment} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Moments({
  recording,
  onMoment,
}: {
  recording: Recording;
  onMoment: EvidenceProps["onMoment"];
}) {
  const { moments } = recording;
  if (moments.length < 2) return null;
  return (
    <nav class="moments" aria-label="Moments that matter">
      {moments.map(({ at, says }) => (
        <button type="button" key={`${at} ${says}`} onClick={() => onMoment(at, null)}>
          <span class="time">{seconds(at, 3)}</span> {says}
        </button>
      ))}
    </nav>
  );
}

function Facts({ recording }: { readonly recording: Recording }) {
  const { trial, tool, commands } = recording;
  const { counts } = trial;
  return (
    <div class="facts">
      <dl>
        <dt>scenario</dt>
        <dd title={trial.scenario.says}>{trial.scenario.name}</dd>
        <dt>seed</dt>
        <dd class="mono">{trial.seed}</dd>
        {trial.variant !== null && <dt>variant</dt>}
        {trial.variant !== null && <dd class="mono">{trial.variant}</dd>}
        <dt>fingerprint</dt>
        <dd class="mono" id="fingerprint">
          {trial.fingerprint}
        </dd>
        <dt>run</dt>
        <dd>
          {grouped(trial.events)} events in {seconds(trial.virtualMicros, 1)} of virtual time
        </dd>
        <dt>records</dt>
        <dd>
          {grouped(counts.acknowledged)} acknowledged, {grouped(counts.failed)} failed,{" "}
          {grouped(counts.indeterminate)} indeterminate, {grouped(counts.polled)} polled
        </dd>
        <dt>tool</dt>
        <dd class="mono">
          {tool.version} ({tool.build})
        </dd>
      </dl>
      <ul class="commands" aria-label="Commands to paste">
        {commands.map(([label, command]) => (
          <Command key={label} label={label} command={command} />
        ))}
      </ul>
    </div>
  );
}

export function Command({ label, command }: { readonly label: string; readonly command: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <li>
      <span class="label">{label}</span>
      <code>{command}</code>
      <button
        type="button"
        aria-label={`Copy the command: ${label}`}
        onClick={() => {
          copyText(command);
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        }}
      >
        {copied ? "copied" : "copy"}
      </button>
    </li>
  );
}

/** Pages opened from disk may have no clipboard of their own: then by a selection. */
export function copyText(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
