/** Entry of the built command. */
import { runCli } from "./cli.ts";
import { processIo } from "./io.ts";

// A reader that stops reading, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await runCli(process.argv.slice(2), processIo());
