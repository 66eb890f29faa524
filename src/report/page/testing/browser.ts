/** Finds a browser for tests and benchmarks of the page, and opens reports in it. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const WELL_KNOWN = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/opt/google/chrome/chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

export const INSTALL =
  "no browser for the tests of the reports: install Chromium (Debian, Ubuntu: apt-get install chromium) " +
  "or name one in KAFKA_TRIAL_BROWSER";

/** Path of a browser; null when there is none. */
export function findBrowser(): string | null {
  const named = process.env["KAFKA_TRIAL_BROWSER"];
  if (named !== undefined && named !== "") return existsSync(named) ? named : null;
  return WELL_KNOWN.find((path) => existsSync(path)) ?? null;
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === null) throw new Error(INSTALL);
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
