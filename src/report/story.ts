/**
 * The story of a finding in plain words: what happened, at which virtual time, and why that breaks
 * the claim.
 *
 * The trial is run once more and watched up to the finding; told is what concerns its partition (or
 * ZooKeeper), from the begin of the load on. Meant for trials that were cut down: of a long one the
 * begin and the end are told.
 */
import { catalogueEntry } from "../checks/catalogue.ts";
import type { Finding } from "../checks/finding.ts";
import { VARIANTS, type VariantId } from "../model/variants/registry.ts";
import { formatTime } from "../sim/index.ts";
import { Trial, type TrialOptions } from "../trial/trial.ts";
import { offsets, type Sentence, StoryWords } from "./story-words.ts";
import { screenWidth, wrap } from "./text.ts";

const INDENT = 13;
/** Of a longer story the first and the last so many lines are told. */
const FIRST_LINES = 12;
const LAST_LINES = 48;

interface Line {
  readonly at: number;
  says: string;
  readonly key: string | null;
  readonly from: number;
}

export interface StoryOptions {
  /** As the trial is run, without listeners of its own. */
  readonly trial: TrialOptions;
  readonly finding: Finding;
  /** Clause when the finding is outside of the guarantee. */
  readonly clause: string | null;
  /** What enabled it, when it is outside of the guarantee. */
  readonly because: string | null;
}

export function storyLines(options: StoryOptions): string[] {
  const told = watch(options);
  const lines = told.map(({ at, says }) => line(formatTime(at), says));
  const skipped = lines.length - FIRST_LINES - LAST_LINES;
  if (skipped > 1) {
    lines.splice(FIRST_LINES, skipped, line("", `... ${skipped} more`));
  }
  return [...lines, "", ...reasonLines(options)];
}

function line(label: string, says: string): string {
  return `${label.padStart(INDENT - 2)}  ${wrap(says, screenWidth(), INDENT)}`;
}

/** What was said from the begin of the load to the finding, in order. */
function watch({ trial, finding, clause }: StoryOptions): readonly Line[] {
  const story = new Told();
  const focus = {
    topic: finding.topic ?? null,
    partition: finding.partition ?? -1,
    zooKeeper: finding.topic === undefined && /^(Z|Eph|Sess)/.test(finding.check),
  };
  const run = new Trial({
    ...trial,
    stopAt: (found, under) =>
      found.check === finding.check && under === clause && found.at >= finding.at,
    onWorld(current) {
      const { world } = current;
      const words = new StoryWords(focus, (node) => (node < 0 ? "?" : world.node(node).name));
      world.observers.onAny((observation, node, at) => {
        const sentence = words.sentence(observation, node);
        if (sentence === null || at > finding.at) return;
        const progress = words.takeProgress();
        if (progress !== null) story.tell({ says: progress }, at);
        story.tell(sentence, at);
      });
    },
  });
  run.run();
  const boot = run.phases[0]?.to ?? 0;
  const lines = story.end();
  if (boot >= finding.at) return lines;
  // Of the boot only who leads when it is over.
  return lines.filter(({ at, says }) => at >= boot || / leads | becomes the controller/.test(says));
}

/** Gathers sentences; what comes again and again is told twice, then only counted. */
class Told {
  readonly #lines: Line[] = [];
  readonly #seen = new Map<string, number>();
  #counted = 0;
  #countedAt = 0;

  tell({ says, merge, again }: Sentence, at: number): void {
    if (again !== undefined) {
      const before = this.#seen.get(again) ?? 0;
      this.#seen.set(again, before + 1);
      if (before >= 2) {
        this.#counted++;
        this.#countedAt = at;
        return;
      }
    } else {
      this.#tellCounted();
      this.#seen.clear();
    }
    const last = this.#lines[this.#lines.length - 1];
    if (merge !== undefined && last?.key === merge.key) {
      last.says = `${merge.key} ${offsets(last.from, merge.to)}`;
    } else this.#lines.push({ at, says, key: merge?.key ?? null, from: merge?.from ?? 0 });
  }

  end(): readonly Line[] {
    this.#tellCounted();
    return this.#lines;
  }

  #tellCounted(): void {
    if (this.#counted === 0) return;
    const says = `... and so on, ${this.#counted} times more`;
    this.#lines.push({ at: this.#countedAt, says, key: null, from: 0 });
    this.#counted = 0;
  }
}

function reasonLines({ trial, finding, clause, because }: StoryOptions): string[] {
  const entry = catalogueEntry(finding.check);
  const { variant } = trial;
  const lines = [
    line("the claim", entry?.says ?? finding.says),
    line("seen", `${formatTime(finding.at)}: ${finding.saw}`),
  ];
  if (clause !== null) {
    lines.push(line("outside", `${clause}: ${because ?? "Kafka does not promise it here"}`));
  } else {
    if (variant != null) {
      const says = VARIANTS[variant as VariantId]?.says ?? "";
      lines.push(line("because", `variant ${variant}: ${says}`));
    }
    if (entry !== undefined) lines.push(line("promised", entry.promisedWhen));
  }
  return lines;
}
