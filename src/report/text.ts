/** Small tools for text on a terminal: wrapping, numbers, colours that may be off. */
import { createColors } from "picocolors";
import type { Micros } from "../sim/index.ts";

/** Colour functions; all of them return the text as it is when colour is off. */
export type Paint = ReturnType<typeof createColors>;

export function paint(colour: boolean): Paint {
  return createColors(colour);
}

const WIDEST_COLUMNS = 100;
const NARROWEST_COLUMNS = 60;
let columns = WIDEST_COLUMNS;

/** Columns that screens are wrapped at: those of the terminal, at most 100. */
export function screenWidth(): number {
  return columns;
}

/** Told once, by the command, of its terminal; files and pipes get the widest. */
export function setScreenWidth(terminalColumns: number): void {
  columns = Math.max(NARROWEST_COLUMNS, Math.min(WIDEST_COLUMNS, terminalColumns));
}

/** Breaks at spaces. The first line starts as it is, later ones with `indent` spaces. */
export function wrap(text: string, width: number, indent: number): string {
  const words = text.split(/[ \n\t]+/).filter((word) => word !== "");
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > width - indent) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  // A no-break space keeps two words together.
  return lines.map((whole) => whole.replaceAll("\u00a0", " ")).join(`\n${" ".repeat(indent)}`);
}

/** `1,234,567`. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 trial`, `2 trials`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : nouns}`;
}

/** `12.482s`; above two minutes `3m 12s`; above two hours `2h 31m`. */
export function elapsed(duration: Micros): string {
  const seconds = duration / 1_000_000;
  if (seconds < 120) return `${seconds.toFixed(3)}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m ${Math.floor(seconds % 60)}s`;
  return `${grouped(Math.floor(seconds / 3600))}h ${Math.floor((seconds % 3600) / 60)}m`;
}

/** `84 ms`, `1.25 s`. */
export function wall(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** `845,000` per second as `845k`, `1,250,000` as `1.25M`. */
export function compact(count: number): string {
  if (count >= 1_000_000) return `${(count / 1_000_000).toFixed(2)}M`;
  if (count >= 10_000) return `${Math.round(count / 1000)}k`;
  return grouped(count);
}

/** Quotes for a shell where that is needed. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
