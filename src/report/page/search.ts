/**
 * Search in what is recorded: by text, and by what follows what.
 *
 *     truncated                                     everything whose words hold it
 *     LeaderAndIsr.request to b2                    at, from and to name nodes
 *     fetch.request from b3 not followed by fetch.response to b3 within 1s
 *     LeaderAndIsr.request followed by truncated within 500ms
 */
import { parseDuration } from "../../sim/time.ts";
import type { RecordedWindow } from "../recording/format.ts";
import { messageWords } from "./message-filter.ts";
import type { Timeline } from "./timeline.ts";

export interface Found {
  readonly at: number;
  readonly says: string;
  /** Number of a message; null: an observation. */
  readonly message: number | null;
  /** What followed it, when that was asked for. */
  readonly follower: Found | null;
}

interface Item {
  readonly at: number;
  readonly at2: number;
  readonly from: string;
  readonly to: string;
  readonly says: string;
  readonly text: string;
  readonly message: number | null;
}

interface Pattern {
  readonly words: readonly string[];
  readonly at: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

export interface Query {
  readonly first: Pattern;
  /** null: nothing is asked about what follows. */
  readonly follower: Pattern | null;
  readonly negated: boolean;
  readonly within: number;
}

/** The query, or what is wrong with it. */
export function parseQuery(text: string): Query | string {
  const match =
    /^(.*?)\s+(not\s+)?followed\s+by\s+(.*?)(?:\s+within\s+(\S+(?:\s?[a-zµ]+)?))?$/i.exec(
      text.trim(),
    );
  if (match === null) return { first: pattern(text), follower: null, negated: false, within: 0 };
  const [, first, not, second, limit] = match;
  const within = limit === undefined ? 1_000_000 : parseDuration(limit.replace(" ", ""));
  if (within === null) return `within ${limit}: expected a duration such as 1s or 200ms`;
  return {
    first: pattern(first as string),
    follower: pattern(second as string),
    negated: not !== undefined,
    within,
  };
}

function pattern(text: string): Pattern {
  const words: string[] = [];
  const place: { at: string | null; from: string | null; to: string | null } = {
    at: null,
    from: null,
    to: null,
  };
  const parts = text
    .toLowerCase()
    .split(/\s+/)
    .filter((part) => part !== "");
  for (let i = 0; i < parts.length; i++) {
    const word = parts[i] as string;
    const next = parts[i + 1];
    const named = next !== undefined && /^(b|zk|p|c)\d+$|^final$|^admin$/.test(next);
    if ((word === "at" || word === "from" || word === "to") && named) {
      place[word] = next;
      i++;
    } else words.push(word);
  }
  return { words, ...place };
}

/** Everything that can be found, in order of time. */
export function searchItems(timeline: Timeline, window: RecordedWindow): Item[] {
  const name = (id: number) => timeline.nodes[id]?.name ?? "";
  const items: Item[] = [];
  for (const [at, node, fact, , says] of timeline.transitions) {
    const words = `${name(node)} ${says}`;
    const text = `${words} ${fact.kind}`.toLowerCase();
    items.push({ at, at2: at, from: name(node), to: name(node), says: words, text, message: null });
  }
  for (const [at, node, fact, words] of window.observations) {
    if ("kind" in fact && isTransition(timeline, at, node, String(fact.kind))) continue;
    const says = `${name(node)} ${words}`;
    items.push({
      at,
      at2: at,
      from: name(node),
      to: name(node),
      says,
      text: says.toLowerCase(),
      message: null,
    });
  }
  window.messages.forEach((message, number) => {
    const [at, arrivedAt, from, to, , , body] = message;
    const says = messageWords(timeline, window, message);
    const text = `${says} ${JSON.stringify(body)}`.toLowerCase();
    items.push({ at, at2: arrivedAt, from: name(from), to: name(to), says, text, message: number });
  });
  return items.sort((a, b) => a.at - b.at);
}

/** Transitions of the whole trial are listed once, not again for the window. */
function isTransition(timeline: Timeline, at: number, node: number, kind: string): boolean {
  return timeline.transitionKeys.has(`${at} ${node} ${kind}`);
}

function matches(item: Item, { words, at, from, to }: Pattern): boolean {
  if (at !== null && item.from !== at && item.to !== at) return false;
  if (from !== null && item.from !== from) return false;
  if (to !== null && item.to !== to) return false;
  return words.every((word) => item.text.includes(word));
}

export function search(items: readonly Item[], query: Query, limit: number): Found[] {
  const found: Found[] = [];
  const { first, follower, negated, within } = query;
  for (let i = 0; i < items.length && found.length < limit; i++) {
    const item = items[i] as Item;
    if (!matches(item, first)) continue;
    if (follower === null) {
      found.push(asFound(item, null));
      continue;
    }
    const next = following(items, i, follower, within);
    if ((next === null) === negated) found.push(asFound(item, next));
  }
  return found;
}

/** The first that matches after an item and within a time of its end. */
function following(
  items: readonly Item[],
  index: number,
  wanted: Pattern,
  within: number,
): Item | null {
  const { at, at2 } = items[index] as Item;
  const from = Math.max(at, at2);
  for (let i = index + 1; i < items.length; i++) {
    const item = items[i] as Item;
    if (item.at > from + within) return null;
    if (item.at >= from && matches(item, wanted)) return item;
  }
  return null;
}

function asFound({ at, says, message }: Item, next: Item | null): Found {
  return { at, says, message, follower: next === null ? null : asFound(next, null) };
}
