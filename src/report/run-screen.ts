/** The screens of one trial: first what was drawn from the seed, in the end the verdict. */
import type { Finding } from "../checks/finding.ts";
import type { NemesisDraw } from "../faults/nemesis.ts";
import type { FaultPlan } from "../faults/plan.ts";
import { formatFault } from "../faults/written.ts";
import { formatTime } from "../sim/index.ts";
import type { ToolVersion } from "../trial/failure-file.ts";
import type { OutsideFinding, TrialResult } from "../trial/result.ts";
import type { ResolvedScenario, Scenario } from "../trial/scenario.ts";
import { faultWords } from "./fault-words.ts";
import { elapsed, grouped, type Paint, plural, screenWidth, wall, wrap } from "./text.ts";

const INDENT = 15;
/** Of a long plan, so many faults are listed. */
const FAULTS_LISTED = 30;
/** Of one check that was violated, so many findings follow the first. */
const FURTHER_FINDINGS = 2;

function field(label: string, text: string): string {
  return `  ${label.padEnd(INDENT - 2)}${wrap(text, screenWidth(), INDENT)}`;
}

function detail(label: string, text: string): string {
  return `${" ".repeat(INDENT)}${label.padEnd(9)}${wrap(text, screenWidth(), INDENT + 9)}`;
}

export function formatTool({ version, build }: ToolVersion): string {
  return `kafka-trial ${version} (${build})`;
}

export interface Opening {
  readonly tool: ToolVersion;
  readonly resolved: ResolvedScenario;
  readonly seed: string;
  readonly variant: string | null;
  /** The seed was not given but drawn now. */
  readonly seedDrawn: boolean;
}

/** Before the trial starts: the seed first, so that it is there whatever happens. */
export function openingLines(opening: Opening, colours: Paint): string[] {
  const { tool, resolved, seed, variant } = opening;
  const { scenario, drawn } = resolved;
  const lines = [
    `${colours.bold(`SEED ${seed}`)}${opening.seedDrawn ? " (drawn)" : ""}   ${formatTool(tool)}`,
    field("scenario", `${scenario.name}: ${scenario.says}`),
  ];
  if (variant !== null) lines.push(field("variant", `${variant} (known to be wrong)`));
  lines.push(field("cluster", clusterWords(scenario)));
  if (drawn.length > 0) {
    const words = drawn.map(({ path, value }) => `${path}=${JSON.stringify(value)}`);
    lines.push(field("drawn", words.join("  ")));
  }
  return lines;
}

function clusterWords(scenario: Scenario): string {
  const { cluster, topics, producers, consumers, timeouts, duration } = scenario;
  const count = (groups: readonly { readonly count: number }[]) =>
    groups.reduce((sum, group) => sum + group.count, 0);
  const names = topics.map(
    ({ name, partitions, replicationFactor }) =>
      `${name} (${partitions} x RF ${replicationFactor})`,
  );
  return [
    `${plural(cluster.zookeeper, "ZooKeeper server")}, ${plural(cluster.brokers, "broker")};`,
    `${names.join(", ")};`,
    `${plural(count(producers), "producer")}, ${plural(count(consumers), "consumer")};`,
    `${timeouts} time-outs; ${duration} of load`,
  ].join(" ");
}

/** What breaks: the faults of the scenario and what the nemesis drew. */
export function planLines(scenario: Scenario, nemesis: NemesisDraw | null): string[] {
  const lines: string[] = [];
  scenario.faults.forEach((fault, i) => {
    lines.push(`  ${(i === 0 ? "faults" : "").padEnd(INDENT - 2)}${formatFault(fault)}`);
  });
  if (nemesis !== null) {
    const on = nemesis.drawn.filter(({ enabled }) => enabled);
    const off = nemesis.drawn.filter(({ enabled }) => !enabled);
    on.forEach(({ kind, says, count }, i) => {
      const number = count > 0 ? `, ${plural(count, "fault")} planned` : "";
      const label = i === 0 ? "nemesis" : "";
      lines.push(`  ${label.padEnd(INDENT - 2)}${kind}: ${says}${number}`);
    });
    if (on.length === 0) lines.push(field("nemesis", "draws nothing"));
    if (off.length > 0) lines.push(field("", `off: ${off.map(({ kind }) => kind).join(", ")}`));
  }
  if (lines.length === 0) lines.push(field("faults", "none"));
  return lines;
}

/** The plan of a replay. */
export function recordedPlanLines(plan: FaultPlan): string[] {
  if (plan.faults.length === 0) return [field("plan", "no faults")];
  return [field("plan", `${plural(plan.faults.length, "recorded fault")}, at absolute times`)];
}

export interface Closing {
  readonly result: TrialResult;
  readonly wallMs: number;
  /** State of the servers at the first violation, made ready; may be empty. */
  readonly picture: readonly string[];
}

export function verdictLines(closing: Closing, colours: Paint): string[] {
  const { result } = closing;
  const lines: string[] = [""];
  const listed = new Map<string, number>();
  for (const [i, finding] of result.violations.entries()) {
    const before = listed.get(finding.check) ?? 0;
    listed.set(finding.check, before + 1);
    // The first of each check is told in full, a few more in one line, the rest in --json.
    if (before > FURTHER_FINDINGS) continue;
    if (before > 0) lines.push(field("also", `${formatTime(finding.at)}  ${finding.saw}`));
    else {
      if (i > 0) lines.push("");
      lines.push(...violationLines(finding, result, colours));
    }
    if (i === 0 && closing.picture.length > 0) lines.push("", ...closing.picture, "");
  }
  if (result.violations.length > 0) lines.push("");
  lines.push(headline(result, colours));
  if (result.why !== null) lines.push(field("because", firstLines(result.why)));
  lines.push(...factLines(closing));
  lines.push(...strikeLines(result.plan, result));
  lines.push(...outsideLines(result, colours));
  return lines;
}

function headline(result: TrialResult, colours: Paint): string {
  const { verdict, scenario, seed, variant } = result;
  const word =
    verdict === "held"
      ? colours.green("HELD")
      : verdict === "violated"
        ? colours.red("VIOLATED")
        : colours.yellow("UNKNOWN");
  const with_ = variant === null ? "" : `  variant=${variant}`;
  return `${colours.bold(word)}  scenario=${scenario.name}${with_}  seed=${seed}`;
}

function violationLines(finding: Finding, result: TrialResult, colours: Paint): string[] {
  const { check, says, saw, at } = finding;
  const count = result.findings[check] ?? 1;
  const more = count > 1 ? `  (${grouped(count)} findings)` : "";
  return [
    `${colours.red(colours.bold("FAIL"))}  ${colours.bold(check)}  at ${formatTime(at, 6)}${more}`,
    field("says", says),
    field("saw", saw),
  ];
}

function factLines({ result, wallMs }: Closing): string[] {
  const { counts, phases, events, virtualMicros, fingerprint, goals } = result;
  const speed = wallMs > 0 ? `, ${grouped(virtualMicros / 1000 / wallMs)}x real time` : "";
  const indeterminate =
    counts.indeterminate === 0 ? "" : `, ${grouped(counts.indeterminate)} indeterminate`;
  const phaseWords = phases.map(
    ({ name, from, to }) =>
      `${name.replace(" ", "\u00a0")}\u00a0${formatTime(from)}..${formatTime(to)}`,
  );
  return [
    field("phases", phaseWords.join(" · ")),
    field(
      "records",
      `${grouped(counts.acknowledged)} acknowledged, ${grouped(counts.failed)} failed${indeterminate}; ` +
        `${grouped(counts.polled)} polled`,
    ),
    field(
      "run",
      `${grouped(events)} events, ${elapsed(virtualMicros)} virtual in ${wall(wallMs)}${speed}`,
    ),
    field("fingerprint", fingerprint),
    field("goals", goals.length === 0 ? "none" : `${goals.length}: ${goals.join(", ")}`),
  ];
}

/** The faults as they struck. */
function strikeLines({ faults }: FaultPlan, { virtualMicros }: TrialResult): string[] {
  const struck = faults.filter(({ at }) => at <= virtualMicros);
  if (struck.length === 0) return [];
  const lines = struck.slice(0, FAULTS_LISTED).map((fault, i) => {
    const label = (i === 0 ? "struck" : "").padEnd(INDENT - 2);
    return `  ${label}${formatTime(fault.at).padStart(9)}  ${faultWords(fault)}`;
  });
  if (struck.length > FAULTS_LISTED) {
    lines.push(field("", `... and ${struck.length - FAULTS_LISTED} more; --json lists all`));
  }
  return lines;
}

function outsideLines(result: TrialResult, colours: Paint): string[] {
  const { outside, scenario } = result;
  const lines: string[] = [];
  if (outside.length > 0) {
    lines.push("", `${colours.yellow("OUTSIDE")}  what Kafka does not promise here`);
    const shown = new Set<string>();
    for (const finding of outside) {
      const key = `${finding.check} ${finding.clause} ${finding.because}`;
      if (shown.has(key)) continue;
      shown.add(key);
      lines.push(...outsideFinding(finding, outside, result));
    }
  }
  const missing = scenario.expect.outside.filter(
    (clause) => !outside.some((finding) => finding.clause === clause),
  );
  if (missing.length > 0) {
    lines.push(
      "",
      field(
        "note",
        `${missing.join(", ")} was expected outside the guarantee and did not show under this seed`,
      ),
    );
  }
  return lines;
}

function outsideFinding(
  finding: OutsideFinding,
  all: readonly OutsideFinding[],
  result: TrialResult,
): string[] {
  const same = all.filter(
    ({ check, clause, because }) =>
      check === finding.check && clause === finding.clause && because === finding.because,
  );
  const found = result.findings[finding.check] ?? same.length;
  const only = all.filter(({ check }) => check === finding.check).length === same.length;
  const count = only ? found : same.length;
  const number = count > 1 ? `  (${grouped(count)} findings)` : "";
  return [
    `  ${finding.clause.padEnd(INDENT - 2)}${finding.check} at ${formatTime(finding.at)}${number}`,
    detail("saw", finding.saw),
    detail("because", finding.because),
  ];
}

/** A stack of a crashed checker is told by its first lines. */
function firstLines(text: string): string {
  return text.split("\n").slice(0, 3).join(" ");
}
