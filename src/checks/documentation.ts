/** docs/invariants.md, made from the catalogue: a test holds the file to it. */
import { CATALOGUE, type CatalogueEntry, INVARIANTS } from "./catalogue.ts";

const HEAD = `# What is judged

Made from the catalogue of checks by \`KAFKA_TRIAL_WRITE_DOCS=1 npx vitest run src/checks/documentation.test.ts\`;
\`trial list invariants\` and \`trial list goals\` print the same. A finding whose promise does not hold under the
configuration and the faults of its trial is *outside the guarantee*, with one of its clauses
([guarantees](guarantees.md)). "Broken by" names the variants that a check is known to catch
([detection](detection.md)).
`;

export function invariantsDocument(): string {
  const online = new Set<string>(Object.keys(INVARIANTS));
  const always = CATALOGUE.filter(({ modality }) => modality === "always");
  const invariants = always.filter(({ name }) => online.has(name));
  const anomalies = always.filter(({ name }) => !online.has(name));
  const eventually = CATALOGUE.filter(({ modality }) => modality === "eventually");
  const goals = CATALOGUE.filter(({ modality }) => modality === "sometimes");
  return [
    HEAD,
    `## Invariants: judged on observations, as they happen (${invariants.length})\n`,
    ...invariants.map(section),
    `## Anomalies: judged on the history of the clients, at the end (${anomalies.length})\n`,
    ...anomalies.map(section),
    `## In the end: judged when all faults are over (${eventually.length})\n`,
    ...eventually.map(section),
    `## Goals: situations that a campaign should reach (${goals.length})\n`,
    "| goal | says | source |",
    "|---|---|---|",
    ...goals.map(({ name, says, source }) => `| ${cell(name)} | ${cell(says)} | ${cell(source)} |`),
    "",
  ].join("\n");
}

function section(entry: CatalogueEntry): string {
  const { name, says, source, promisedWhen, clauses, breaks } = entry;
  const lines = [
    `### ${name}\n`,
    `${says.replace(/\.$/, "")}.\n`,
    `- promised when: ${promisedWhen}`,
  ];
  if (clauses.length > 0) lines.push(`- clauses: ${clauses.join(", ")}`);
  lines.push(`- source: ${source}`);
  if (breaks.length > 0) lines.push(`- broken by: ${breaks.map((id) => `\`${id}\``).join(", ")}`);
  return `${lines.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
