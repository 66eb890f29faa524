/**
 * How fast a report opens and pans, measured in a browser: a trial of about a million events, and the
 * 2013 scenario as a typical failure.
 *
 * Opening: from reading what the file carries to the first frame, and the browser's load before it.
 * Panning: the time between frames while the span moves and narrows at every frame. `npm run bench --
 * report`; needs Chromium (or KAFKA_TRIAL_BROWSER) and the built page.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportHtml } from "../../src/report/html-report.ts";
import { recordTrial } from "../../src/report/recording/recorder.ts";
import { resolveScenario } from "../../src/trial/scenario.ts";
import { parseScenarioFile } from "../../src/trial/scenario-file.ts";

// Loaded at run time: a bundle cannot hold it.
const { chromium } = module.createRequire(join(process.cwd(), "package.json"))(
  "playwright-core",
) as typeof import("playwright-core");
process.env["KAFKA_TRIAL_REPORT_PAGE"] ??= join(process.cwd(), "dist", "report.html");

const CASES = [
  { name: "typical failure", file: "scenarios/jepsen-2013.yaml", set: [] },
  {
    name: "million events",
    file: "bench/model/standard.yaml",
    set: [{ key: "duration", value: process.env["DURATION"] ?? "1100s" }],
  },
];
const SEED = "1";
const ROUNDS = 5;
const FRAMES = 240;

const folder = mkdtempSync(join(tmpdir(), "trial-report-bench-"));
const browser = await chromium.launch({
  executablePath: process.env["KAFKA_TRIAL_BROWSER"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const { name, file, set } of CASES) {
  const scenario = resolveScenario(parseScenarioFile(readFileSync(file, "utf8"), file), SEED, set);
  const tool = { version: "bench", build: "bench" };
  const recording = recordTrial({
    trial: { scenario, seed: SEED },
    tool,
    overrides: set,
    commands: [],
  });
  const html = reportHtml({ title: name, recording });
  const path = join(folder, `${name.replaceAll(" ", "-")}.html`);
  writeFileSync(path, html);
  const opened: number[] = [];
  const whole: number[] = [];
  const frames: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const before = performance.now();
    await page.goto(`file://${path}`);
    await page.waitForFunction(() => document.documentElement.dataset["opened"] !== undefined);
    whole.push(performance.now() - before);
    opened.push(Number(await page.evaluate(() => document.documentElement.dataset["opened"])));
    frames.push(...(await page.evaluate(pan, FRAMES)));
    await page.close();
  }
  const bytes = Buffer.byteLength(html);
  console.log(
    [
      `${name}: ${recording.trial.events} events, ${recording.trial.verdict}`,
      `  file          ${Math.round(bytes / 1024)} KiB`,
      `  open          ${median(opened).toFixed(0)} ms in the page, ${median(whole).toFixed(0)} ms with the browser's load`,
      `  frames        median ${median(frames).toFixed(1)} ms, 95% below ${quantile(frames, 0.95).toFixed(1)} ms, of ${frames.length}`,
    ].join("\n"),
  );
}
await browser.close();
rmSync(folder, { recursive: true, force: true });

/** In the page: moves and narrows the span of the lanes and of the messages at every frame. */
function pan(count: number): Promise<number[]> {
  const wheel = (id: string, deltaX: number, deltaY: number) => {
    const canvas = document.getElementById(id) as HTMLElement;
    const box = canvas.getBoundingClientRect();
    const place = { clientX: box.left + box.width / 2, clientY: box.top + 60 };
    canvas.dispatchEvent(
      new WheelEvent("wheel", { ...place, deltaX, deltaY, bubbles: true, cancelable: true }),
    );
  };
  return new Promise((resolve) => {
    const times: number[] = [];
    let last = 0;
    const step = (now: number) => {
      if (last > 0) times.push(now - last);
      last = now;
      if (times.length >= count) {
        resolve(times);
        return;
      }
      const phase = times.length % 80;
      wheel("lanes", phase < 40 ? 12 : -12, 0);
      wheel("lanes", 0, phase < 40 ? -6 : 6);
      wheel("messages", phase < 40 ? 8 : -8, 0);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
