/** `trial explain`: the biography of a record, and one moment of a trial. */
import { UsageError } from "../campaign/usage-error.ts";
import { TOOL } from "../campaign/version.ts";
import { biographyLines, momentLines } from "../report/explain-lines.ts";
import { grouped, paint } from "../report/text.ts";
import { formatTime, type Micros, parseDuration } from "../sim/index.ts";
import { type Biography, biographyOf, type RecordName } from "../trial/biography/biography.ts";
import { type Moment, momentOf } from "../trial/biography/moment.ts";
import { nearest } from "../trial/nearest.ts";
import type { Scenario } from "../trial/scenario.ts";
import type { TrialOptions } from "../trial/trial.ts";
import { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { readFailureArgument, readScenarioArgument } from "./named-trial.ts";
import { speaker } from "./run-command.ts";

export interface ExplainOptions {
  readonly record?: string;
  readonly at?: string;
  readonly seed?: string;
  readonly set?: readonly string[];
  readonly variant?: string;
  readonly json?: boolean;
}

export function explainCommandLine(argument: string, options: ExplainOptions, io: Io): ExitCode {
  if (options.record === undefined && options.at === undefined) {
    throw new UsageError("expected --record orders-0@17 or --at 12.3s, or both");
  }
  const at = options.at === undefined ? null : readTime(options.at);
  const trial = readTrial(argument, options, io);
  const { scenario } = trial.scenario;
  const record = options.record === undefined ? null : readRecord(options.record, scenario);
  const biography = record === null ? null : biographyOf(trial, record);
  if (biography !== null) checkWritten(biography, options.record as string);
  const moment = at === null ? null : momentOf(trial, at);
  tell(trial, biography, moment, options, io);
  return ExitCode.HELD;
}

function tell(
  trial: TrialOptions,
  biography: Biography | null,
  moment: Moment | null,
  options: ExplainOptions,
  io: Io,
): void {
  const json = options.json === true;
  const colours = paint(io.colour && !json);
  const say = speaker(io, json);
  if (biography !== null) say(biographyLines(biography, colours));
  if (biography !== null && moment !== null) say([""]);
  if (moment !== null) say(momentLines(moment, colours));
  if (!json) return;
  const object = {
    scenario: trial.scenario.scenario.name,
    seed: trial.seed,
    variant: trial.variant ?? null,
    ...(biography === null ? {} : { biography }),
    ...(moment === null ? {} : { moment }),
    tool: TOOL,
  };
  io.out(`${JSON.stringify(object)}\n`);
}

function readTrial(argument: string, options: ExplainOptions, io: Io): TrialOptions {
  const file = readFailureArgument(argument, options, io);
  if (file === null) return readScenarioArgument(argument, options, "of the run", io);
  const { scenario, drawn, seed, variant, plan } = file;
  return { scenario: { scenario, drawn }, seed, variant, plan };
}

function readTime(text: string): Micros {
  const at = parseDuration(text);
  if (at === null) {
    throw new UsageError(`--at ${text}: expected a virtual time such as 12.3s or 500ms`);
  }
  return at;
}

/** `orders-0@17` of this scenario. */
function readRecord(text: string, scenario: Scenario): RecordName {
  const match = /^(.+)-(\d+)@(\d+)$/.exec(text);
  if (match === null) {
    throw new UsageError(`--record ${text}: expected topic-partition@offset, as in orders-0@17`);
  }
  const [, topic, partition, offset] = match as unknown as [string, string, string, string];
  const names = scenario.topics.map(({ name }) => name);
  const known = scenario.topics.find(({ name }) => name === topic);
  // Kafka's own topics, such as that of the offsets, are not in the scenario.
  if (known === undefined && !topic.startsWith("__")) {
    const near = nearest(topic, names);
    const hint = near === null ? `Topics: ${names.join(", ")}.` : `Did you mean "${near}"?`;
    throw new UsageError(`--record ${text}: no topic "${topic}". ${hint}`);
  }
  return { topic, partition: Number(partition), offset: Number(offset) };
}

function checkWritten({ record, lives, logEnd, endedAt }: Biography, text: string): void {
  if (lives.length > 0) return;
  const name = `${record.topic}-${record.partition}`;
  const had =
    logEnd === 0 ? "nothing was ever written there" : `its last offset is ${grouped(logEnd - 1)}`;
  throw new UsageError(
    `--record ${text}: no replica of ${name} ever had this offset; ${had} (until ${formatTime(endedAt)})`,
  );
}
