/** Version and build of the tool: baked in when the command is built, named as such from sources. */
import type { ToolVersion } from "../trial/failure-file.ts";

declare const __TRIAL_VERSION__: string | undefined;
declare const __TRIAL_BUILD__: string | undefined;

export const TOOL: ToolVersion = {
  version: typeof __TRIAL_VERSION__ === "string" ? __TRIAL_VERSION__ : "0.0.0-source",
  build: typeof __TRIAL_BUILD__ === "string" ? __TRIAL_BUILD__ : "source",
};
