/** Colours of drawings, read from the style sheet so that light, dark and print have their own. */

/** Okabe and Ito's colours: told apart with every kind of colour blindness. */
const EPOCH_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a200"];

export function epochColour(epoch: number): string {
  const { length } = EPOCH_COLOURS;
  return EPOCH_COLOURS[((epoch % length) + length) % length] as string;
}

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly panel: string;
  readonly background: string;
  readonly accent: string;
  readonly bad: string;
  readonly warn: string;
  readonly good: string;
  readonly quiet: string;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: read("text"),
    muted: read("muted"),
    line: read("line"),
    panel: read("panel"),
    background: read("background"),
    accent: read("accent"),
    bad: read("bad"),
    warn: read("warn"),
    good: read("good"),
    quiet: read("quiet"),
  };
}
