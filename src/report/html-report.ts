/** Writes reports: the built page with what it shows put into its places, compressed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { packageRoot } from "../campaign/library.ts";
import { UsageError } from "../campaign/usage-error.ts";
import type { Recording } from "./recording/format.ts";

export interface ReportContent {
  readonly title: string;
  readonly recording?: Recording;
  /** Another trial to hold against it. */
  readonly other?: Recording;
  /** What a campaign found. */
  readonly campaign?: object;
}

/** The page as `npm run build` made it. Throws UsageError when it is not there. */
function template(): string {
  const path = process.env["KAFKA_TRIAL_REPORT_PAGE"] ?? join(packageRoot(), "dist", "report.html");
  if (!existsSync(path)) {
    throw new UsageError(`${path}: the page of reports is not built: run npm run build`);
  }
  return readFileSync(path, "utf8");
}

/** The whole page as text. */
export function reportHtml(content: ReportContent): string {
  let html = template();
  const put = (id: string, value: object | undefined) => {
    if (value === undefined) return;
    const slot = `<script type="text/plain" id="${id}">`;
    const at = html.indexOf(slot);
    if (at < 0) throw new Error(`the page of reports has no place for ${id}`);
    const packed = deflateRawSync(JSON.stringify(value), { level: 9 }).toString("base64");
    html = html.slice(0, at + slot.length) + packed + html.slice(at + slot.length);
  };
  put("recording", content.recording);
  put("recording-other", content.other);
  put("campaign", content.campaign);
  return html.replace("<title>kafka-trial</title>", `<title>${escaped(content.title)}</title>`);
}

/** Throws UsageError when the file cannot be written. */
export function writeReport(path: string, argument: string, html: string): void {
  try {
    writeFileSync(path, html);
  } catch (error) {
    throw new UsageError(`${argument}: cannot be written: ${(error as Error).message}`);
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
