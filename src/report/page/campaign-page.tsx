/** The page of a campaign: scenarios and verdicts, seeds over time, goals, failures with their reports. */
import type { CampaignReport, CampaignTrial } from "../campaign-report.ts";
import { ThemeButton } from "./header.tsx";
import { Command } from "./verdict.tsx";
import { grouped } from "./words.ts";

export function CampaignPage({ report }: { readonly report: CampaignReport }) {
  const { totals, title } = report;
  const bad = totals.violated + totals.unknown;
  return (
    <>
      <header class="top">
        <strong
          class={`badge ${totals.violated > 0 ? "violated" : totals.unknown > 0 ? "unknown" : "held"}`}
        >
          {totals.violated > 0 ? "VIOLATED" : totals.unknown > 0 ? "UNKNOWN" : "HELD"}
        </strong>
        <span class="name">campaign</span>
        <span class="seed">{title}</span>
        <span class="brand">
          kafka-trial {report.tool.version} ({report.tool.build})
        </span>
        <ThemeButton />
      </header>
      <main class="campaign">
        <h1>
          {bad === 0
            ? `All ${grouped(totals.trials)} trials held.`
            : `${grouped(totals.violated)} of ${grouped(totals.trials)} trials violated a claim` +
              (totals.unknown === 0 ? "." : `, ${grouped(totals.unknown)} proved nothing.`)}
        </h1>
        <p class="muted">
          {grouped(totals.events)} events, {grouped(totals.virtualMs / 1000)} s of virtual time in{" "}
          {(totals.wallMs / 1000).toFixed(1)} s. What lies outside the guarantee counts as held.
        </p>
        <div class="columns">
          <Scenarios report={report} />
          <Checks report={report} />
        </div>
        <Seeds trials={report.trials} wallMs={totals.wallMs} />
        <Failures report={report} />
        <div class="columns">
          <Goals report={report} />
          <Outside report={report} />
        </div>
      </main>
    </>
  );
}

interface Part {
  readonly report: CampaignReport;
}

function Scenarios({ report }: Part) {
  return (
    <section class="panel">
      <header>
        <h2>Scenarios and verdicts</h2>
      </header>
      <table>
        <thead>
          <tr>
            {["scenario", "trials", "held", "violated", "unknown", "events", ""].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.scenarios.map(({ name, trials, held, violated, unknown, events }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{grouped(trials)}</td>
              <td>{grouped(held)}</td>
              <td class={violated > 0 ? "bad" : ""}>{grouped(violated)}</td>
              <td>{grouped(unknown)}</td>
              <td>{grouped(events)}</td>
              <td class="wide">
                <Shares parts={[held, violated, unknown]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Held, violated, unknown as parts of one bar. */
function Shares({ parts }: { readonly parts: readonly [number, number, number] }) {
  const all = Math.max(1, parts[0] + parts[1] + parts[2]);
  const [held, violated, unknown] = parts;
  return (
    <span
      class="shares"
      role="img"
      aria-label={`${held} held, ${violated} violated, ${unknown} unknown`}
    >
      <i class="held" style={{ width: `${(100 * held) / all}%` }} />
      <i class="violated" style={{ width: `${(100 * violated) / all}%` }} />
      <i class="unknown" style={{ width: `${(100 * unknown) / all}%` }} />
    </span>
  );
}

function counted(
  lists: readonly (readonly string[])[],
): (readonly [name: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const list of lists) for (const name of list) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function Bars({ entries }: { readonly entries: readonly (readonly [string, number])[] }) {
  const most = Math.max(1, ...entries.map(([, count]) => count));
  return (
    <table class="bars">
      <tbody>
        {entries.map(([name, count]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{grouped(count)}</td>
            <td class="wide">
              <i style={{ width: `${(100 * count) / most}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Checks({ report }: Part) {
  const entries = counted(report.trials.map(({ checks }) => checks));
  return (
    <section class="panel">
      <header>
        <h2>Failures by check</h2>
      </header>
      {entries.length === 0 ? <p class="note">No check failed.</p> : <Bars entries={entries} />}
    </section>
  );
}

const WIDTH = 1000;
const HEIGHT = 150;

/** One mark per trial: when it ended, and how many events it took. */
function Seeds({
  trials,
  wallMs,
}: {
  readonly trials: readonly CampaignTrial[];
  readonly wallMs: number;
}) {
  const most = Math.max(1, ...trials.map(({ events }) => events));
  const end = Math.max(1, wallMs, ...trials.map(({ at }) => at));
  const order = [...trials].sort(
    (a, b) => Number(a.verdict !== "held") - Number(b.verdict !== "held"),
  );
  return (
    <section class="panel">
      <header>
        <h2>Seeds over time</h2>
        <span class="muted">
          a mark per trial: when it ended, and its number of events, up to {grouped(most)}
        </span>
      </header>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${trials.length} trials over time`}
      >
        {order.map(({ at, events, verdict, scenario, seed }) => {
          const x = 8 + (at / end) * (WIDTH - 16);
          const y = HEIGHT - 8 - (events / most) * (HEIGHT - 16);
          const words = `${scenario} seed ${seed}: ${verdict}, ${grouped(events)} events`;
          return verdict === "held" ? (
            <circle key={`${scenario} ${seed} ${at}`} class={verdict} cx={x} cy={y} r={2.5}>
              <title>{words}</title>
            </circle>
          ) : (
            <path
              key={`${scenario} ${seed} ${at}`}
              class={verdict}
              d={`M${x - 4} ${y - 4}l8 8m0 -8l-8 8`}
            >
              <title>{words}</title>
            </path>
          );
        })}
      </svg>
    </section>
  );
}

function Failures({ report }: Part) {
  const { failures } = report;
  if (failures.length === 0) return null;
  return (
    <section class="panel">
      <header>
        <h2>Failures</h2>
      </header>
      <table>
        <thead>
          <tr>
            {["scenario", "seed", "what", "seen", "report"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {failures.map(({ scenario, seed, kind, check, saw, link, command }) => (
            <tr key={`${scenario} ${seed}`}>
              <th scope="row">{scenario}</th>
              <td class="mono">{seed}</td>
              <td>{check ?? kind}</td>
              <td>{saw}</td>
              <td>
                {link !== null && <a href={link}>open</a>}
                {link === null && command !== null && (
                  <ul class="commands">
                    <Command label="View" command={command} />
                  </ul>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Goals({ report }: Part) {
  const { goals, goalsNeverReached } = report;
  return (
    <section class="panel">
      <header>
        <h2>Goals reached</h2>
        <span class="muted">
          {goals.length} of {goals.length + goalsNeverReached.length}, by trials
        </span>
      </header>
      <Bars entries={goals} />
      {goalsNeverReached.length > 0 && (
        <p class="note">Never reached: {goalsNeverReached.join(", ")}</p>
      )}
    </section>
  );
}

function Outside({ report }: Part) {
  return (
    <section class="panel">
      <header>
        <h2>Outside the guarantee</h2>
        <span class="muted">what Kafka does not promise, by trials</span>
      </header>
      {report.outside.length === 0 && <p class="note">Nothing.</p>}
      <table>
        <tbody>
          {report.outside.map(({ scenario, clause, trials, seed, because }) => (
            <tr key={`${scenario} ${clause}`}>
              <th scope="row">{clause}</th>
              <td>{scenario}</td>
              <td>{grouped(trials)}</td>
              <td>
                seed {seed}: {because}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
