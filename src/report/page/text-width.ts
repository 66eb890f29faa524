/** Widths of words in the drawings' font, measured once: measuring is dear, and frames repeat words. */

export const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';
/** So many different words are remembered. */
const WORDS_MAX = 5000;

const widths = new Map<string, number>();

/** Pixels that the words take in FONT, which must be the context's font. */
export function textWidth(context: CanvasRenderingContext2D, text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  const { width } = context.measureText(text);
  if (widths.size >= WORDS_MAX) widths.clear();
  widths.set(text, width);
  return width;
}

/** Text that fits, cut at its end where it must be; nothing where hardly a letter would be seen. */
export function clippedText(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  room: number,
): void {
  if (room < 12) return;
  let shown = text;
  const width = textWidth(context, text);
  if (width > room) {
    const letters = Math.floor((text.length * (room - 11)) / width);
    if (letters < 3) return;
    shown = `${text.slice(0, letters).trimEnd()}…`;
  }
  context.fillText(shown, x, y);
}
