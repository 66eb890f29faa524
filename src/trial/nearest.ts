/** Did-you-mean: the nearest valid word to one that is not known. */
import { closest, distance } from "fastest-levenshtein";

/** The nearest of `words`, or null when none is near enough to be meant. */
export function nearest(word: string, words: readonly string[]): string | null {
  if (words.length === 0) return null;
  const best = closest(word, [...words]);
  return distance(word, best) <= Math.max(2, Math.floor(word.length / 3)) ? best : null;
}

/** ` Did you mean "x"?`, or a list of what there is when nothing is near. */
export function suggestion(word: string, words: readonly string[]): string {
  const best = nearest(word, words);
  if (best !== null) return ` Did you mean "${best}"?`;
  return words.length <= 12 ? ` Known: ${words.join(", ")}.` : "";
}
