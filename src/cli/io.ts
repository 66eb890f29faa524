/** What the command line needs of its surroundings, so that tests can stand in for a terminal. */

export interface Io {
  /** Results: what another program may read. */
  readonly out: (text: string) => void;
  /** Progress, errors, and with --json all text for people. */
  readonly err: (text: string) => void;
  /** Whether stderr is a terminal: progress is drawn in place. */
  readonly terminal: boolean;
  readonly colour: boolean;
  readonly cwd: string;
  /** Calls back at each Ctrl-C until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export function processIo(): Io {
  const { env, stdout, stderr } = process;
  const plain = env["NO_COLOR"] || env["TERM"] === "dumb" || process.argv.includes("--no-color");
  const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    terminal: stderr.isTTY === true,
    colour: forced || (!plain && stdout.isTTY === true),
    cwd: process.cwd(),
    onInterrupt: (listener) => {
      process.on("SIGINT", listener);
      return () => process.off("SIGINT", listener);
    },
    // Not performance.now(): reaching for it loads a module that nothing else needs.
    now: () => Number(process.hrtime.bigint()) / 1e6,
  };
}
