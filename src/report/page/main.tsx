/** Entry of the page: reads what it carries and shows it. */
import { render } from "preact";
import type { Recording } from "../recording/format.ts";
import { App } from "./app.tsx";
import { readEmbedded } from "./embedded.ts";
import "./style.css";

async function start(): Promise<void> {
  const root = document.getElementById("root") as HTMLElement;
  const began = performance.now();
  const [recording, other] = await Promise.all([
    readEmbedded("recording"),
    readEmbedded("recording-other"),
  ]);
  if (recording === null) {
    root.textContent = "This report carries no trial: write one with npx trial view.";
    return;
  }
  render(
    <App
      recording={JSON.parse(recording) as Recording}
      other={other === null ? null : (JSON.parse(other) as Recording)}
    />,
    root,
  );
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
