/**
 * Faults as people write them: the printing half of `schema.ts`, which reads them back.
 *
 * Without the schema library, so that reports and pages can print faults without carrying it.
 */
import { formatDuration } from "../sim/index.ts";
import { type Field, KINDS } from "./fields.ts";
import type { Fault } from "./plan.ts";

/** The fault as people write it, fields that have their default left out. */
export function toWritten(fault: Fault): { [key: string]: string | number } {
  const written: { [key: string]: string | number } = {
    [fault.kind]: fault.target,
    at: formatDuration(fault.at),
  };
  if (fault.when !== undefined) {
    const { moment, after, repeat } = fault.when;
    if (fault.at === 0) delete written["at"];
    written["when"] = moment;
    if (after > 0) written["after"] = formatDuration(after);
    if (repeat > 1) written["repeat"] = repeat;
  }
  const { duration, fields } = KINDS[fault.kind];
  const byDefault = duration.rule === "default" ? duration.duration : null;
  if (duration.rule !== "instant" && fault.duration !== null && fault.duration !== byDefault) {
    written["for"] = formatDuration(fault.duration);
  }
  const values = fault as unknown as { readonly [name: string]: string | number | null };
  for (const field of fields) {
    const value = values[field.name] as string | number | null;
    if (value === null || value === field.fallback) continue;
    written[field.written] = typeof value === "number" ? writeNumber(field, value) : value;
  }
  return written;
}

/** A number in the unit of its field. */
export function writeNumber(field: Field, value: number): string | number {
  switch (field.type) {
    case "duration":
      return formatDuration(value);
    case "shift":
      return value < 0 ? `-${formatDuration(-value)}` : `+${formatDuration(value)}`;
    case "rate":
      return `${value / 10}%`;
    default:
      return value;
  }
}

/** One line of YAML: `{ kill: leader(orders-0), at: 10s, for: 5s }`. */
export function formatFault(fault: Fault): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(toWritten(fault))) {
    const plain = typeof value === "number" || isPlainScalar(value);
    parts.push(`${key}: ${plain ? value : JSON.stringify(value)}`);
  }
  return `{ ${parts.join(", ")} }`;
}

/** True if YAML reads the text, unquoted within `{ }`, as that text. */
function isPlainScalar(text: string): boolean {
  if (!/^[+-]?[A-Za-z0-9][A-Za-z0-9._()%-]*( [A-Za-z0-9._()%-]+)*$/.test(text)) return false;
  return !/^([+-]?[\d.]+(e[+-]?\d+)?|0[xo].*|[+-]?\.?(inf|nan)|true|false|null|yes|no|on|off)$/i.test(
    text,
  );
}
