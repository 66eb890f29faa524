/**
 * Values of a scenario that the seed decides: `{ pick: [...] }`, `{ between: [low, high] }`.
 *
 * Each draw has its own stream, named after the path of the value, so that adding a choice in one
 * place of a scenario shifts no other. These streams configure a trial; the draws made while it runs
 * come from others.
 */
import type { RandomStreams } from "../sim/index.ts";

export interface Drawn {
  /** Path of the value in the scenario, such as `cluster.brokers`. */
  readonly path: string;
  readonly value: unknown;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The `{ pick: [...] }` form: exactly that one key, with a list that is not empty. */
export function isPick(value: unknown): value is { readonly pick: readonly unknown[] } {
  return (
    isObject(value) &&
    Object.keys(value).length === 1 &&
    Array.isArray(value["pick"]) &&
    value["pick"].length > 0
  );
}

/** The `{ between: [low, high] }` form: integers, both ends included. */
export function isBetween(
  value: unknown,
): value is { readonly between: readonly [number, number] } {
  if (!isObject(value) || Object.keys(value).length !== 1) return false;
  const range = value["between"];
  return (
    Array.isArray(range) &&
    range.length === 2 &&
    range.every((end) => Number.isSafeInteger(end)) &&
    (range[0] as number) <= (range[1] as number)
  );
}

/** A copy of `value` in which every drawn form is replaced; `drawn` collects what was chosen. */
export function drawValues(
  value: unknown,
  streams: RandomStreams,
  drawn: Drawn[],
  path = "",
): unknown {
  if (isPick(value)) {
    const choice = streams.stream(`configure/${path}`).pick(value.pick);
    drawn.push({ path, value: choice });
    return drawValues(choice, streams, drawn, path);
  }
  if (isBetween(value)) {
    const [low, high] = value.between;
    const choice = streams.stream(`configure/${path}`).between(low, high);
    drawn.push({ path, value: choice });
    return choice;
  }
  if (Array.isArray(value)) {
    return value.map((item, i) => drawValues(item, streams, drawn, `${path}[${i}]`));
  }
  if (isObject(value)) {
    const copy: { [key: string]: unknown } = {};
    for (const [key, part] of Object.entries(value)) {
      copy[key] = drawValues(part, streams, drawn, path === "" ? key : `${path}.${key}`);
    }
    return copy;
  }
  return value;
}
