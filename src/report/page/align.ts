/** Two runs side by side: their transitions aligned, by the longest common subsequence. */
import type { RecordedFact } from "../recording/format.ts";
import type { Timeline } from "./timeline.ts";

export interface AlignedRow {
  readonly left: RecordedFact | null;
  readonly right: RecordedFact | null;
}

export interface Alignment {
  readonly rows: readonly AlignedRow[];
  /** Place of the first row that is not the same on both sides; -1: none. */
  readonly first: number;
}

/** Of each run, the first so many transitions are compared. */
const COMPARED_MAX = 1200;

/** How a cluster boots says nothing, and its order differs with every seed. */
function afterBoot({ recording, transitions }: Timeline): readonly RecordedFact[] {
  const booted = recording.trial.phases.find(({ name }) => name === "chaos")?.from ?? 0;
  return transitions.filter(([at]) => at >= booted).slice(0, COMPARED_MAX);
}

export function align(left: Timeline, right: Timeline): Alignment {
  const a = afterBoot(left);
  const b = afterBoot(right);
  const keyA = a.map((fact) => key(left, fact));
  const keyB = b.map((fact) => key(right, fact));
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        keyA[i] === keyB[j]
          ? (lengths[(i + 1) * width + j + 1] as number) + 1
          : Math.max(lengths[(i + 1) * width + j] as number, lengths[i * width + j + 1] as number);
    }
  }
  const rows: AlignedRow[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && keyA[i] === keyB[j]) {
      rows.push({ left: a[i++] as RecordedFact, right: b[j++] as RecordedFact });
    } else if (
      j >= b.length ||
      (i < a.length &&
        (lengths[(i + 1) * width + j] as number) >= (lengths[i * width + j + 1] as number))
    ) {
      rows.push({ left: a[i++] as RecordedFact, right: null });
    } else rows.push({ left: null, right: b[j++] as RecordedFact });
  }
  return { rows, first: rows.findIndex((row) => row.left === null || row.right === null) };
}

/** Without numbers that differ between any two runs: sessions, and offsets of logs. */
function key(timeline: Timeline, [, node, , mark, says]: RecordedFact): string {
  const words = (says ?? "").replace(/0x[0-9a-f]+/g, "#").replace(/\d+ -> \d+/g, "# -> #");
  return `${timeline.nodes[node]?.name} ${mark} ${words.replace(/ for \S+/, "").replace(/\d+ ms/, "# ms")}`;
}
