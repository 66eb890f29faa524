/**
 * The walls and manners of the code, checked as a test: layers, cycles, determinism of the core,
 * sizes. Each rule names the replacement. Types and formatting are checked by tsc and biome.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

interface Source {
  /** Path from the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
  readonly imports: readonly { readonly target: string; readonly typeOnly: boolean }[];
}

function sources(folder: string): Source[] {
  const found: Source[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name) || entry.name.endsWith(".d.ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    const path = relative(ROOT, file);
    const isTest = path.endsWith(".test.ts") || path.includes("/testing/");
    found.push({ path, text, isTest, imports: importsOf(file, text) });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function importsOf(file: string, text: string): Source["imports"] {
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, false);
  const imports: { target: string; typeOnly: boolean }[] = [];
  for (const statement of parsed.statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
    const specifier = statement.moduleSpecifier;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) continue;
    const name = specifier.text;
    const target = name.startsWith(".") ? relative(ROOT, resolve(dirname(file), name)) : name;
    let typeOnly = false;
    if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause;
      const bindings = clause?.namedBindings;
      typeOnly =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (bindings !== undefined &&
          ts.isNamedImports(bindings) &&
          bindings.elements.length > 0 &&
          bindings.elements.every((element) => element.isTypeOnly));
    } else typeOnly = statement.isTypeOnly;
    imports.push({ target, typeOnly });
  }
  for (const [, name] of text.matchAll(/\bimport\("(\.[^"]+)"\)/g)) {
    imports.push({
      target: relative(ROOT, resolve(dirname(file), name as string)),
      typeOnly: false,
    });
  }
  return imports;
}

const ALL = sources(SRC);
const PRODUCT = ALL.filter(({ isTest }) => !isTest);

/** What a folder may import of the others, besides itself. Longest prefix wins. */
const LAYERS: { readonly [folder: string]: readonly string[] } = {
  "src/sim": [],
  "src/model/variants": [],
  "src/model/zookeeper": ["src/sim", "src/model/variants"],
  "src/model/kafka/protocol": ["src/sim"],
  "src/model/kafka": [
    "src/sim",
    "src/model/variants",
    "src/model/zookeeper",
    "src/model/kafka/protocol",
  ],
  "src/model/clients": ["src/sim", "src/model/variants", "src/model/kafka/protocol"],
  "src/model/roles.ts": ["src/sim", "src/model"],
  "src/faults": ["src/sim", "src/model/roles.ts"],
  "src/workloads": ["src/sim", "src/model", "src/checks/history.ts", "src/checks/history-table.ts"],
  "src/checks": ["src/sim", "src/model"],
  "src/trial": ["src/sim", "src/model", "src/faults", "src/workloads", "src/checks"],
  "src/stories": ["src/sim", "src/model", "src/faults", "src/trial"],
  "src/campaign": [
    "src/sim",
    "src/model",
    "src/faults",
    "src/workloads",
    "src/checks",
    "src/trial",
  ],
  "src/explorer": ["src/model"],
  "src/claims": [
    "src/sim",
    "src/model",
    "src/faults",
    "src/workloads",
    "src/checks",
    "src/trial",
    "src/campaign",
    "src/explorer",
  ],
  "src/report": [
    "src/sim",
    "src/model",
    "src/faults",
    "src/workloads",
    "src/checks",
    "src/trial",
    "src/campaign",
  ],
  "src/cli": [
    "src/sim",
    "src/model",
    "src/faults",
    "src/workloads",
    "src/checks",
    "src/trial",
    "src/campaign",
    "src/report",
    "src/stories",
    "src/explorer",
    "src/claims",
  ],
};

function layerOf(path: string): string | null {
  let best: string | null = null;
  for (const layer of Object.keys(LAYERS)) {
    const inside = path === layer || path.startsWith(`${layer}/`);
    if (inside && (best === null || layer.length > best.length)) best = layer;
  }
  return best;
}

const CORE = /^src\/(sim|model|faults|workloads|checks|trial|explorer)\//;

describe("layers", () => {
  it("imports only from floors below", () => {
    const wrong: string[] = [];
    for (const source of PRODUCT) {
      const layer = layerOf(source.path);
      if (layer === null) continue;
      const allowed = LAYERS[layer] as readonly string[];
      for (const { target, typeOnly } of source.imports) {
        if (!target.startsWith("src/")) continue;
        const other = layerOf(target);
        const own = other === layer;
        const below = allowed.some((floor) => target === floor || target.startsWith(`${floor}/`));
        // Facts may be known by type everywhere above: `faults` waits for them.
        const fact = typeOnly && /^src\/model\/.*observations\.ts$/.test(target);
        const above = layer === "src/faults" && fact;
        if (!own && !below && !above) wrong.push(`${source.path} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("lets checks and faults know the model by its types only", () => {
    const wrong: string[] = [];
    for (const source of PRODUCT) {
      if (!source.path.startsWith("src/checks/")) continue;
      for (const { target, typeOnly } of source.imports) {
        const behaviour = target.startsWith("src/model/") && !typeOnly;
        // Zxid arithmetic and constants of the data format are vocabulary, not behaviour.
        const vocabulary = target === "src/model/zookeeper/txn.ts";
        if (behaviour && !vocabulary) wrong.push(`${source.path} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps Kafka's brokers away from ZooKeeper's servers", () => {
    const known = ["client-api.ts", "client.ts", "txn.ts", "config.ts"].map(
      (name) => `src/model/zookeeper/${name}`,
    );
    const wrong = PRODUCT.filter(({ path }) => path.startsWith("src/model/kafka/")).flatMap(
      ({ path, imports }) =>
        imports
          .filter(({ target }) => target.startsWith("src/model/zookeeper/"))
          .filter(({ target }) => !known.includes(target))
          .map(({ target }) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has no cycles", () => {
    const graph = new Map(PRODUCT.map(({ path, imports }) => [path, imports.map((i) => i.target)]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
        return;
      }
      state.set(path, "open");
      for (const next of graph.get(path) ?? []) if (graph.has(next)) visit(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it("has no dead files", () => {
    const entries = [
      "src/index.ts",
      "src/testing.ts",
      "src/cli/main.ts",
      "src/campaign/worker.ts",
      "src/report/page/main.tsx",
      "src/report/page/simulator.ts",
    ];
    const imported = new Set(ALL.flatMap(({ imports }) => imports.map(({ target }) => target)));
    const outside = ["bench", "properties", "scenarios", "tidy"].flatMap((folder) => {
      try {
        return sources(join(ROOT, folder));
      } catch {
        return [];
      }
    });
    for (const { imports } of outside) for (const { target } of imports) imported.add(target);
    const dead = PRODUCT.map(({ path }) => path).filter(
      (path) => !imported.has(path) && !entries.includes(path),
    );
    expect(dead).toEqual([]);
  });
});

describe("the page of reports", () => {
  it("is the only place that knows a browser", () => {
    const wrong = PRODUCT.filter(({ path }) => !path.startsWith("src/report/page/"))
      .filter(({ text }) =>
        /\bdocument\.(get|create|query|body)|\bnavigator\.|\bHTML\w*Element\b/.test(text),
      )
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it("knows no Node, and neither does what it records with", () => {
    const wrong = PRODUCT.filter(({ path }) => /^src\/report\/(page|recording)\//.test(path))
      .filter(({ imports }) => imports.some(({ target }) => target.startsWith("node:")))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });
});

describe("the deterministic core", () => {
  const banned: readonly (readonly [RegExp, string])[] = [
    [/\bDate\b(?!"|`)/, "ctx.now() or ctx.wallMillis()"],
    [/\bMath\.random\b/, "a named random stream"],
    [/\bMath\.(log|log2|log10|exp|pow|sin|cos|tan|cbrt|hypot)\b/, "an integer table"],
    [/\*\*(?!\/|\*)/, "multiplication: powers may differ between engines"],
    [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, "ctx.timer or ctx.after"],
    [/\b(async|await)\b/, "a flow"],
    [/\bPromise\b/, "Completion"],
    [/\bprocess\.(env|argv|exit|nextTick|hrtime|cwd)\b/, "options"],
    [/\bperformance\b\./, "ctx.now()"],
    [/\bcrypto\b\./, "a named random stream"],
    [/\bglobalThis\b/, "an explicit parameter"],
    [/\bconsole\b\./, "observations"],
    [/\bIntl\b|\blocaleCompare\b|\btoLocale/, "comparison of code units"],
    [/\bWeakRef\b|\bFinalizationRegistry\b/, "explicit lifetime"],
    [/\bfor \((const|let) \w+ in\b/, "Object.keys, or a Map"],
    [/\bstructuredClone\b/, "immutable values"],
  ];

  it("uses nothing ambient", () => {
    const wrong: string[] = [];
    for (const { path, text, imports } of PRODUCT) {
      if (!CORE.test(path)) continue;
      for (const { target } of imports) {
        if (target.startsWith("node:")) wrong.push(`${path} imports ${target}: core has no Node`);
      }
      stripComments(text)
        .split("\n")
        .forEach((line, i) => {
          for (const [pattern, instead] of banned) {
            if (pattern.test(line)) wrong.push(`${path}:${i + 1} use ${instead}: ${line.trim()}`);
          }
        });
    }
    expect(wrong).toEqual([]);
  });

  it("imports seedrandom in one place only, one algorithm of it", () => {
    const users = PRODUCT.filter(({ imports }) =>
      imports.some(({ target }) => target.startsWith("seedrandom")),
    ).map(({ path }) => path);
    expect(users).toEqual(["src/sim/random.ts"]);
  });
});

describe("manners", () => {
  it("opens each file with what it is", () => {
    const wrong = PRODUCT.filter(({ text }) => !/^\/(\*\*|\/)/.test(text)).map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it("keeps files below 400 lines", () => {
    // The protocol's messages are one table; splitting it would hide the inventory.
    const exempt = ["src/model/kafka/protocol/messages.ts"];
    const wrong = PRODUCT.filter(({ path }) => !exempt.includes(path))
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > 400)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(wrong).toEqual([]);
  });

  it("keeps lines within 110 columns, but for long strings (code is formatted to 100)", () => {
    const wrong: string[] = [];
    for (const { path, text } of PRODUCT) {
      text.split("\n").forEach((line, i) => {
        if (line.length > 110 && !/["'`]/.test(line)) wrong.push(`${path}:${i + 1}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  it("leaves nothing open", () => {
    const word = new RegExp(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|"));
    const wrong = ALL.filter(({ text }) => word.test(text)).map(({ path }) => path);
    expect(wrong).toEqual([]);
  });
});

/** Comments and string contents out, lines kept: the rules are about code. */
function stripComments(text: string): string {
  const blank = (match: string) => match.replace(/[^\n]/g, " ");
  return text
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/\/\/.*$/gm, blank)
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/`(?:[^`\\$]|\\.)*`/g, "``");
}
