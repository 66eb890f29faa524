/** `trial check`: judges a recorded history, of this simulator or of a real cluster. */
import { readHistoryFile } from "../campaign/history-file.ts";
import { UsageError } from "../campaign/usage-error.ts";
import {
  ANOMALY_NAMES,
  type AnomalyName,
  type CheckOptions,
  checkHistory,
  type HistoryVerdict,
  type JudgedAnomaly,
} from "../checks/checkers/index.ts";
import { type Op, writeOp } from "../checks/history.ts";
import { type Paint, paint, plural, screenWidth, wrap } from "../report/text.ts";
import { nearest } from "../trial/nearest.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

export interface CheckCommandOptions {
  readonly subVia?: string;
  readonly isolation?: string;
  /** commander: false for --no-idempotence. */
  readonly idempotence?: boolean;
  /** commander: false for --no-final-phase. */
  readonly finalPhase?: boolean;
  readonly allow?: readonly string[];
  readonly json?: boolean;
}

const SUB_VIA = ["assign", "subscribe"] as const;
const ISOLATION = ["read_committed", "read_uncommitted"] as const;
/** Cases of an anomaly, and ops of a case, that the screen shows. */
const SHOWN = 2;
const OPS_SHOWN = 4;
const INDENT = 13;

export function checkCommandLine(file: string, options: CheckCommandOptions, io: Io): ExitCode {
  const checkOptions = readOptions(options);
  const from = io.now();
  const ops = readHistoryFile(file, io.cwd);
  if (ops.length === 0) throw new UsageError(`${file}: expected ops, one JSON object per line`);
  const read = io.now();
  const verdict = checkHistory(ops, checkOptions);
  const wallMs = { read: Math.round(read - from), check: Math.round(io.now() - read) };
  const json = options.json === true;
  const say = json ? io.err : io.out;
  say(`${screen(file, ops, verdict, paint(io.colour && !json)).join("\n")}\n`);
  if (json) io.out(`${JSON.stringify(asJson(file, verdict, wallMs))}\n`);
  if (verdict.valid === "unknown") return ExitCode.UNKNOWN;
  return verdict.valid ? ExitCode.HELD : ExitCode.VIOLATED;
}

function readOptions(options: CheckCommandOptions): CheckOptions {
  const allow: Partial<Record<AnomalyName, string>> = {};
  for (const name of options.allow ?? []) {
    allow[oneOf("--allow", name, ANOMALY_NAMES)] = "allowed on the command line";
  }
  return {
    subVia: [oneOf("--sub-via", options.subVia ?? "assign", SUB_VIA)],
    isolationLevel: oneOf("--isolation", options.isolation ?? "read_committed", ISOLATION),
    idempotence: options.idempotence !== false,
    finalPhase: options.finalPhase !== false,
    allow,
  };
}

function oneOf<Name extends string>(flag: string, given: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === given);
  if (found !== undefined) return found;
  const near = nearest(given, [...names]);
  const hint = near === null ? `Expected one of ${names.join(", ")}.` : `Did you mean "${near}"?`;
  throw new UsageError(`${flag} ${given}: no such word. ${hint}`);
}

function asJson(file: string, verdict: HistoryVerdict, wallMs: { read: number; check: number }) {
  const { valid, reason, statistics } = verdict;
  return {
    file,
    verdict: valid === "unknown" ? "unknown" : valid ? "held" : "violated",
    reason,
    statistics,
    anomalies: verdict.anomalies,
    wallMs,
  };
}

function screen(
  file: string,
  ops: readonly Op[],
  verdict: HistoryVerdict,
  colours: Paint,
): string[] {
  const { statistics, valid, anomalies } = verdict;
  const { sent } = statistics;
  const word =
    valid === "unknown"
      ? colours.yellow("UNKNOWN")
      : valid
        ? colours.green("HELD")
        : colours.red(colours.bold("VIOLATED"));
  const lines = [
    `${file}: ${plural(statistics.ops, "op")}, ${plural(statistics.keys, "key")}, ` +
      `${sent.ok} acknowledged, ${sent.info} indeterminate and ${sent.fail} failed sends, ` +
      `${statistics.polled} records polled`,
    "",
  ];
  const byIndex = new Map(ops.map((op) => [op.index, op]));
  for (const anomaly of anomalies) lines.push(...anomalyLines(anomaly, byIndex, colours));
  const because = valid === false ? "" : `  ${verdict.reason}`;
  lines.push(`${word}${because}`);
  return lines;
}

function anomalyLines(
  anomaly: JudgedAnomaly,
  byIndex: ReadonlyMap<number, Op>,
  colours: Paint,
): string[] {
  const { name, allowed, count, says } = anomaly;
  const title = allowed === null ? colours.red(colours.bold(name)) : colours.dim(name);
  const lines = [`${title}  ${plural(count, "case")}${allowed === null ? "" : ` (${allowed})`}`];
  lines.push(`  must hold  ${says}`);
  for (const finding of anomaly.findings.slice(0, allowed === null ? SHOWN : 1)) {
    lines.push(`  saw        ${wrap(finding.saw, screenWidth(), INDENT)}`);
    for (const index of finding.ops.slice(0, OPS_SHOWN)) {
      const op = byIndex.get(index);
      if (op !== undefined) lines.push(`${" ".repeat(INDENT)}${colours.dim(shorten(writeOp(op)))}`);
    }
  }
  lines.push("");
  return lines;
}

function shorten(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}
