/** Entry of the page: reads what it carries and shows it. */
import { render } from "preact";
import type { CampaignReport } from "../campaign-report.ts";
import type { Recording } from "../recording/format.ts";
import { App } from "./app.tsx";
import { CampaignPage } from "./campaign-page.tsx";
import { readEmbedded } from "./embedded.ts";
import "./style.css";

async function start(): Promise<void> {
  const root = document.getElementById("root") as HTMLElement;
  const began = performance.now();
  const [recording, other, campaign] = await Promise.all([
    readEmbedded("recording"),
    readEmbedded("recording-other"),
    readEmbedded("campaign"),
  ]);
  if (campaign !== null) {
    render(<CampaignPage report={JSON.parse(campaign) as CampaignReport} />, root);
  } else if (recording !== null) {
    const parsed = JSON.parse(recording) as Recording;
    render(
      <App recording={parsed} other={other === null ? null : (JSON.parse(other) as Recording)} />,
      root,
    );
  } else {
    root.textContent = "This report carries no trial: write one with npx trial view.";
  }
  requestAnimationFrame(() => {
    // For the benchmark: from reading what is embedded to the first frame.
    document.documentElement.dataset["opened"] = String(Math.round(performance.now() - began));
  });
}

start().catch((error: unknown) => {
  const root = document.getElementById("root") as HTMLElement;
  root.textContent = `The report could not be read: ${String(error)}`;
  throw error;
});
