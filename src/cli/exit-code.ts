/** Exit codes of the command, also printed in its help. */

export const ExitCode = {
  HELD: 0,
  VIOLATED: 1,
  UNKNOWN: 2,
  NOT_DETERMINISTIC: 3,
  USAGE: 64,
  INTERNAL: 70,
  INTERRUPTED: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODES_HELP = `Exit codes:
  0    all held
  1    a check was violated
  2    unknown: a limit was reached, a checker could not decide, or nothing happened
  3    two runs of the same trial differed
  64   wrong usage, or a file that cannot be used
  70   internal error
  130  interrupted`;
