/** The line on top: verdict, scenario, seed. */
import type { RecordedTrial } from "../recording/format.ts";

export function Header({ trial }: { readonly trial: RecordedTrial }) {
  const clause = trial.violations.length === 0 ? trial.outside[0]?.clause : undefined;
  return (
    <header class="top">
      <strong class={`badge ${trial.verdict}`}>{trial.verdict.toUpperCase()}</strong>
      {clause !== undefined && <strong class="badge outside">OUTSIDE {clause}</strong>}
      <span class="name">{trial.scenario.name}</span>
      <span class="seed">seed {trial.seed}</span>
      {trial.variant !== null && <span class="seed">variant {trial.variant}</span>}
      <span class="brand">kafka-trial</span>
      <ThemeButton />
    </header>
  );
}

export function ThemeButton() {
  return (
    <button
      type="button"
      class="theme"
      aria-label="Switch between light and dark"
      onClick={() => {
        const { dataset } = document.documentElement;
        const dark =
          dataset["theme"] === "dark" ||
          (dataset["theme"] === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
        dataset["theme"] = dark ? "light" : "dark";
        dispatchEvent(new Event("trial-theme"));
      }}
    >
      ◐
    </button>
  );
}
