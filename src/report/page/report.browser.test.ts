/**
 * The report in a real browser: it opens from disk without a request to any network, shows the violation,
 * and everything that can be done with it works.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TestFolder } from "../../cli/testing/captured.ts";
import { findBrowser, INSTALL, launchBrowser } from "./testing/browser.ts";

const present = findBrowser() !== null;
if (!present) console.warn(INSTALL);

it.runIf(!present && process.env["CI"])("has a browser", () => {
  throw new Error(INSTALL);
});

describe.runIf(present)("the report of a trial", () => {
  const folder = new TestFolder();
  const pages = mkdtempSync(join(tmpdir(), "trial-page-"));
  let browser: Browser;
  const problems: string[] = [];

  async function open(name: string, hash = "", width = 1440, height = 900): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height } });
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) problems.push(`request ${request.url()}`);
    });
    await page.goto(`file://${join(folder.path, name)}${hash}`);
    await page.waitForFunction(() => document.documentElement.dataset["opened"] !== undefined);
    return page;
  }

  beforeAll(async () => {
    // The page as it is now, not as it was built last.
    const build = join(import.meta.dirname, "../../../build-page.mjs");
    const { buildPage } = (await import(build)) as { buildPage: (file: string) => Promise<void> };
    await buildPage(join(pages, "report.html"));
    process.env["KAFKA_TRIAL_REPORT_PAGE"] = join(pages, "report.html");
    const write = async (...words: string[]) => {
      const { code, err } = await folder.trial("view", ...words);
      expect(code, err).toBe(0);
    };
    await write("jepsen-2013", "--seed", "1", "--out", "outside.html");
    await write("jepsen-2013", "--seed", "1", "--variant", "no-truncation", "--out", "bad.html");
    await write("jepsen-2013", "--seed", "1", "--compare", "2", "--out", "both.html");
    await write("swarm", "--seed", "1", "--out", "swarm.html");
    browser = await launchBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    delete process.env["KAFKA_TRIAL_REPORT_PAGE"];
    rmSync(pages, { recursive: true, force: true });
    folder.remove();
  });

  afterEach(() => {
    // No console error and no request in anything that was done.
    expect(problems.splice(0)).toEqual([]);
  });

  const text = (page: Page, selector: string) => page.locator(selector).innerText();
  const cursor = async (page: Page) => parseFloat(await text(page, ".now .time"));

  it("opens at the violation and says what was broken, with the commands to paste", async () => {
    const page = await open("bad.html");
    expect(await text(page, ".badge")).toBe("VIOLATED");
    expect(await text(page, "h1")).toContain("equal up to it");
    expect(await text(page, ".guarantee")).toContain("Inside the guarantee");
    const at = parseFloat(await text(page, ".claim > .evidence .at"));
    expect(await cursor(page)).toBeCloseTo(at, 2);
    expect(await text(page, ".commands")).toContain(
      "npx trial run jepsen-2013 --seed 1 --variant no-truncation",
    );
    // The logs of the replicas differ where the evidence says so.
    expect(await page.locator(".cell.differs").count()).toBeGreaterThan(3);
    await page.close();
  });

  it("says under which clause a loss is outside the guarantee", async () => {
    const page = await open("outside.html");
    expect(await text(page, ".guarantee")).toContain("Outside the guarantee, C-8");
    await page.close();
  });

  it("is small, and carries everything", () => {
    expect(statSync(join(folder.path, "bad.html")).size).toBeLessThan(1_000_000);
    const html = readFileSync(join(folder.path, "bad.html"), "utf8");
    expect(html).not.toMatch(/(src|href)="(?!data:)[^"#]/);
  });

  it("draws, pans and zooms by wheel, drag, keyboard and touch", async () => {
    const page = await open("bad.html");
    const span = () => text(page, ".span");
    const lanes = page.locator("#lanes");
    const drawn = await lanes.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set<number>();
      for (let i = 0; i < data.length; i += 4) {
        colours.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
      }
      return colours.size;
    });
    expect(drawn).toBeGreaterThan(20);
    const whole = await span();
    await lanes.hover({ position: { x: 700, y: 200 } });
    await page.mouse.wheel(0, -400);
    await page.waitForFunction(
      (before) => document.querySelector(".span")?.textContent !== before,
      whole,
    );
    const closer = await span();
    await page.mouse.down();
    await page.mouse.move(500, 400, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(
      (before) => document.querySelector(".span")?.textContent !== before,
      closer,
    );
    await lanes.focus();
    for (const key of ["ArrowRight", "+", "-", "ArrowLeft"]) {
      const before = await span();
      await page.keyboard.press(key);
      await page.waitForFunction(
        (old) => document.querySelector(".span")?.textContent !== old,
        before,
      );
    }
    await page.keyboard.press("0");
    await page.waitForFunction(
      (old) => document.querySelector(".span")?.textContent === old,
      whole,
    );
    await page.close();
  });

  it("steps by transition and by event, of one node or of all, and shows the state there", async () => {
    const page = await open("bad.html");
    const start = await cursor(page);
    await page.click("text=« transition");
    await page.waitForFunction(
      (at) => parseFloat(document.querySelector(".now .time")!.textContent!) < at,
      start,
    );
    const before = await cursor(page);
    await page.click("text=event ›");
    await page.waitForFunction(
      (at) => parseFloat(document.querySelector(".now .time")!.textContent!) > at,
      before,
    );
    await page.selectOption('[aria-label="Whose steps"]', { label: "b1" });
    await page.click("text=« transition");
    await page.waitForFunction(() => /b1 /.test(document.querySelector(".now")!.textContent!));
    expect(await page.locator("td.changed").count()).toBeGreaterThan(0);
    await page.keyboard.press("]");
    await page.close();
  });

  it("shows a message with Kafka's field names, filters and folds", async () => {
    const page = await open("bad.html");
    await page.selectOption('[aria-label="Type of message"]', "LeaderAndIsr.request");
    const label = () => page.locator("#messages").getAttribute("aria-label");
    expect(await label()).toMatch(/Messages between nodes, [1-9]/);
    await page.click("#tab-search");
    await page.fill("#search-text", "LeaderAndIsr.request to b3");
    await page.locator(".steps-list li .link").last().click();
    await page.click("#tab-messages");
    expect(await text(page, ".message-card pre")).toContain("controllerEpoch");
    await page.click(".nodes >> text=ZooKeeper");
    await page.close();
  });

  it("tells a record's way, and that two records were at one offset", async () => {
    const page = await open("bad.html");
    await page.click(".offset >> text=250");
    expect(await text(page, ".way")).toContain("different records were at this offset");
    expect(await text(page, ".steps")).toContain("acknowledged, offset 250");
    await page.fill("#way-offset", "3");
    await page.waitForFunction(() =>
      /committed/.test(document.querySelector(".steps")!.textContent!),
    );
    await page.close();
  });

  it("lists what led to the violation", async () => {
    const page = await open("bad.html");
    await page.click("#tab-cause");
    const words = await text(page, ".steps-list");
    for (const cause of ["partition b", "killed", "leads epoch 1", "finding"]) {
      expect(words).toContain(cause);
    }
    await page.close();
  });

  it("searches by text and by what follows what", async () => {
    const page = await open("outside.html");
    await page.click("#tab-search");
    await page.fill("#search-text", "truncated 753 -> 250");
    expect(await page.locator(".steps-list li").count()).toBe(1);
    await page.fill("#search-text", "LeaderAndIsr.request followed by leads epoch within 500ms");
    expect(await page.locator(".steps-list .then").count()).toBeGreaterThan(0);
    await page.fill("#search-text", "x not followed by y within soon");
    expect(await text(page, "[role=status]")).toContain("expected a duration");
    await page.close();
  });

  it("runs the trial again in the page, with the command line's fingerprint", async () => {
    const { out } = await folder.trial("run", "jepsen-2013", "--seed", "1", "--json");
    const { fingerprint } = JSON.parse(out) as { fingerprint: string };
    const page = await open("outside.html");
    await page.click("#tab-run");
    await page.click("#run-again");
    await page.waitForSelector("#outcome [data-fingerprint]");
    const own = await page.locator("#outcome [data-fingerprint]").getAttribute("data-fingerprint");
    expect(own).toBe(fingerprint);
    await page.close();
  });

  it("changes seed, faults and settings; the address is a reproduction", async () => {
    const settings = ["--seed", "5", "--set", "min.insync.replicas=2"];
    const { out } = await folder.trial("run", "jepsen-2013", ...settings, "--json");
    const { fingerprint } = JSON.parse(out) as { fingerprint: string };
    const hash = "#trial=jepsen-2013&seed=5&faults=anew&set=min.insync.replicas%3D2";
    const page = await open("outside.html", hash);
    await page.waitForSelector("#outcome [data-fingerprint]");
    const own = await page.locator("#outcome [data-fingerprint]").getAttribute("data-fingerprint");
    expect(own).toBe(fingerprint);
    await page.click("text=No changes");
    await page.locator(".fault-list input[type=checkbox]").first().click();
    expect(await page.evaluate(() => location.hash)).toContain("off=0");
    await page.click("#run-again");
    await page.waitForFunction((old) => {
      const shown = document.querySelector("#outcome [data-fingerprint]");
      return shown !== null && shown.getAttribute("data-fingerprint") !== old;
    }, fingerprint);
    // Never cut off, the leader shrinks no ISR: nothing is lost.
    expect(await text(page, "#outcome")).toContain("Nothing was found");
    await page.fill("#run-set", "min.insync.replica=2");
    await page.click("#run-set-add");
    await page.click("#run-again");
    await page.waitForSelector("[role=alert]");
    expect(await text(page, "[role=alert]")).toContain("min.insync.replicas");
    await page.click("#show-run");
    expect(await text(page, "main")).toContain("a run of this page");
    await page.close();
  });

  it("draws cluster and faults anew under another seed, as the command line does", async () => {
    const { out } = await folder.trial("run", "swarm", "--seed", "3", "--json");
    const { fingerprint } = JSON.parse(out) as { fingerprint: string };
    const page = await open("swarm.html");
    await page.click("#tab-run");
    await page.fill("#run-seed", "3");
    await page.click("#run-again");
    await page.waitForSelector("#outcome [data-fingerprint]");
    const own = await page.locator("#outcome [data-fingerprint]").getAttribute("data-fingerprint");
    expect(own).toBe(fingerprint);
    await page.close();
  });

  it("holds two runs against each other, with the first difference", async () => {
    const page = await open("both.html");
    expect(await page.locator(".verdicts tr.differs").count()).toBeGreaterThan(2);
    expect(await page.locator("tr.first").count()).toBe(1);
    await page.click("#first-difference");
    await page.waitForFunction(() =>
      /^event \d/.test(document.querySelector("#difference")!.textContent!),
    );
    await page.close();
  });

  it("simulates again for messages that it does not hold", async () => {
    const page = await open("outside.html");
    await page.locator("#lanes").focus();
    await page.keyboard.press("Home");
    await page.click("#load-window");
    await page.waitForFunction(() => document.querySelector("#load-window") === null);
    await page.click("#tab-search");
    await page.fill("#search-text", "CreateTopics.request");
    expect(await page.locator(".steps-list li").count()).toBeGreaterThan(0);
    await page.close();
  });

  it("fits a phone", async () => {
    const page = await open("bad.html", "", 390, 844);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
    await page.close();
  });

  it("names its parts for screen readers", async () => {
    const page = await open("bad.html");
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, select, canvas, svg")]
        .filter((node) => {
          const label = (node as HTMLInputElement).labels?.[0]?.textContent;
          const name = node.getAttribute("aria-label") ?? node.textContent ?? label;
          return (name || label || "").trim() === "";
        })
        .map((node) => node.outerHTML),
    );
    expect(nameless).toEqual([]);
    await page.close();
  });

  it("shows a campaign", async () => {
    const words = ["--seeds", "1..2", "--workers", "0", "--variant", "no-truncation"];
    const { err } = await folder.trial("campaign", "jepsen-2013", ...words, "--report", "all.html");
    expect(err).not.toContain("error");
    const page = await open("all.html");
    expect(await text(page, "h1")).toContain("2 of 2 trials violated a claim");
    const [link] = await page.locator("a >> text=open").all();
    await link!.click();
    await page.waitForFunction(() => /LogMatching/.test(document.body.textContent ?? ""));
    expect(await text(page, ".badge")).toBe("VIOLATED");
    await page.close();
  });

  it("says what is wrong with a page that carries nothing", async () => {
    writeFileSync(join(folder.path, "empty.html"), readFileSync(join(pages, "report.html")));
    const page = await open("empty.html");
    expect(await text(page, "#root")).toContain("carries no trial");
    await page.close();
  });
});
