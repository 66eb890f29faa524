/**
 * The store of results: `store/<scenario>/<seed>/failure.json`, `store/latest`, and the journals of
 * campaigns.
 *
 * A journal is NDJSON with one line per trial, appended when the trial ends, so that it survives the
 * death of the campaign. Everything is written synchronously, for the same reason.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { isFailure, type TrialSummary } from "./task.ts";
import { TOOL } from "./version.ts";

/** Of a scenario, at most so many known failures run first. */
const KNOWN_SEEDS_MAX = 50;

export class Store {
  readonly #cwd: string;
  readonly #root: string;
  #journal: string | null = null;

  constructor(cwd: string) {
    this.#cwd = cwd;
    this.#root = join(cwd, "store");
  }

  /** Writes a failure file and points `store/latest` at its folder; returns the path from here. */
  writeFailure(scenario: string, seed: string, variant: string | null, text: string): string {
    const folder = join(this.#root, scenario, folderName(seed, variant));
    const path = join(folder, "failure.json");
    mkdirSync(folder, { recursive: true });
    // Complete or not there: a reader never sees half a file.
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    this.#pointLatest(folder);
    return relative(this.#cwd, path);
  }

  /** Begins the journal of a campaign; returns its path from here. */
  beginJournal(header: { readonly [key: string]: unknown }, now: Date): string {
    const folder = join(this.#root, "campaigns");
    mkdirSync(folder, { recursive: true });
    const stamp = now.toISOString().replace(/[:.]/g, "-");
    this.#journal = join(folder, `${stamp}.ndjson`);
    this.#append({ kind: "campaign", tool: TOOL, at: now.toISOString(), ...header });
    return relative(this.#cwd, this.#journal);
  }

  /** Appends one result to the journal. */
  journal(trial: TrialSummary, variant: string | null): void {
    const { scenario, seed, verdict, why, fingerprint, events, wallMs } = trial;
    const checks = [...new Set(trial.violations.map(({ check }) => check))];
    const clauses = [...new Set(trial.outside.map(({ clause }) => clause))];
    this.#append({
      kind: "trial",
      scenario,
      seed,
      ...(variant === null ? {} : { variant }),
      verdict,
      ...(why === null ? {} : { why }),
      ...(trial.error === null ? {} : { error: trial.error }),
      ...(checks.length === 0 ? {} : { checks }),
      ...(clauses.length === 0 ? {} : { clauses }),
      ...(isFailure(trial) ? { failed: true } : {}),
      fingerprint,
      events,
      wallMs: Math.round(wallMs * 10) / 10,
    });
  }

  endJournal(end: { readonly [key: string]: unknown }): void {
    this.#append({ kind: "end", ...end });
  }

  #append(line: object): void {
    if (this.#journal !== null) appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
  }

  /** Seeds of a scenario that left a failure file under this variant; file order. */
  knownSeeds(scenario: string, variant: string | null): string[] {
    const folder = join(this.#root, scenario);
    if (!existsSync(folder)) return [];
    const seeds: string[] = [];
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name, "failure.json");
      if (seeds.length >= KNOWN_SEEDS_MAX || !existsSync(path)) continue;
      const seed = seedOf(readFileSync(path, "utf8"), variant);
      if (seed !== null) seeds.push(seed);
    }
    return seeds;
  }

  #pointLatest(folder: string): void {
    const link = join(this.#root, "latest");
    try {
      rmSync(link, { force: true });
      symlinkSync(relative(dirname(link), resolve(folder)), link);
    } catch {
      // File systems without symbolic links: `latest` is a convenience.
    }
  }
}

/** A folder name for any text; what cannot be in one becomes `_` with a number that tells it apart. */
export function folderName(seed: string, variant: string | null): string {
  const whole = variant === null ? seed : `${seed}+${variant}`;
  const safe = whole.replace(/[^A-Za-z0-9._+-]/g, "_").slice(0, 80);
  if (safe === whole && !/^\.+$/.test(safe)) return safe;
  let hash = 0;
  for (let i = 0; i < whole.length; i++) hash = (Math.imul(hash, 31) + whole.charCodeAt(i)) >>> 0;
  return `${safe.replace(/^\.+/, "_")}-${hash.toString(16)}`;
}

/** The seed, if the file is of this variant and of the scenario as shipped; damaged files count not. */
function seedOf(text: string, variant: string | null): string | null {
  try {
    const file = JSON.parse(text) as {
      readonly seed?: unknown;
      readonly variant?: unknown;
      readonly overrides?: readonly unknown[];
    };
    if (typeof file.seed !== "string" || (file.variant ?? null) !== variant) return null;
    return (file.overrides ?? []).length === 0 ? file.seed : null;
  } catch {
    return null;
  }
}
