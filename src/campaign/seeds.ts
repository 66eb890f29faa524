/** Seeds of a campaign: `A..B`, `A..` or one number on. A seed is text; ranges are of whole numbers. */
import { UsageError } from "./usage-error.ts";

export interface SeedRange {
  readonly from: number;
  /** Included; Infinity for `A..`. */
  readonly to: number;
}

/** Throws UsageError. */
export function parseSeedRange(text: string): SeedRange {
  const match = /^(\d+)(?:\.\.(\d*))?$/.exec(text.trim());
  const from = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(from)) {
    throw new UsageError(`--seeds ${text}: expected a range of whole numbers such as 1..1000`);
  }
  const end = match[2];
  const to = end === undefined ? from : end === "" ? Number.POSITIVE_INFINITY : Number(end);
  if (to !== Number.POSITIVE_INFINITY && !Number.isSafeInteger(to)) {
    throw new UsageError(`--seeds ${text}: expected a range of whole numbers such as 1..1000`);
  }
  if (to < from) {
    throw new UsageError(
      `--seeds ${text}: the range is reversed: expected the smaller seed first, as in ${to}..${from}`,
    );
  }
  return { from, to };
}
