/** Entry of the built command. */
import { setScreenWidth } from "../report/text.ts";
import { runCli } from "./cli.ts";
import type { ExitCode } from "./exit-code.ts";
import { processIo } from "./io.ts";

export { runCli } from "./cli.ts";

/** Runs the command line of this process. */
export function main(): Promise<ExitCode> {
  // A reader that stops reading, such as `head`, is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  if (process.stdout.isTTY) setScreenWidth(process.stdout.columns);
  return runCli(process.argv.slice(2), processIo());
}
