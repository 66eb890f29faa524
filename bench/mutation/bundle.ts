/** Bundles the instrumented sources, the judges and the tests into one program. */
import { readdirSync } from "node:fs";
import nodeModule from "node:module";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";

/** Files of tests that judge: those of the mutated folders, of the folder above, and properties. */
function testFiles(root: string): string[] {
  const folders = [
    "src/model/kafka/replica",
    "src/model/kafka/controller",
    "src/model/kafka",
    "src/model/zookeeper",
    "properties",
  ];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".test.ts") && !LEFT_OUT.includes(name))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
}

/** Compare fingerprints; are about variants; or take as long as all others together. */
const LEFT_OUT: readonly string[] = [
  "determinism.property.test.ts",
  "variants.test.ts",
  "chaos.test.ts",
  "control-plane.chaos.test.ts",
];

export async function bundle(
  root: string,
  texts: ReadonlyMap<string, string>,
  outfile: string,
): Promise<void> {
  const here = join(root, "bench", "mutation");
  const entry = [
    'import { LOADED } from "loading";',
    ...testFiles(root).flatMap((file) => [`import "test-file:${file}";`, `import "./${file}";`]),
    'import { main } from "./bench/mutation/judge.ts";',
    "void main(LOADED);",
  ];
  const plugin: Plugin = {
    name: "mutants",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^mutation-switch$/ }, () => ({ path: join(here, "switch.ts") }));
      onResolve({ filter: /^vitest$/ }, () => ({ path: join(here, "suite.ts") }));
      onResolve({ filter: /^fast-check$/ }, ({ importer }) =>
        importer.endsWith("few-runs.ts") ? null : { path: join(here, "few-runs.ts") },
      );
      onResolve({ filter: /^(test-file:|loading$)/ }, ({ path }) => ({ path, namespace: "made" }));
      onLoad({ filter: /^loading$/, namespace: "made" }, () => ({
        contents: `import { count } from "${here}/switch.ts";
          export const LOADED = new Map();
          count(LOADED);`,
        resolveDir: root,
      }));
      onLoad({ filter: /^test-file:/, namespace: "made" }, ({ path }) => ({
        contents: `import { enterFile } from "${here}/suite.ts";
          enterFile(${JSON.stringify(path.slice("test-file:".length))});`,
        resolveDir: root,
      }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(relative(root, path));
        return contents === undefined
          ? null
          : { contents, loader: "ts", resolveDir: dirname(path) };
      });
    },
  };
  // Not imported: esbuild cannot be bundled, and a benchmark is.
  const require = nodeModule.createRequire(join(root, "package.json"));
  const { build } = require("esbuild") as typeof import("esbuild");
  await build({
    stdin: { contents: entry.join("\n"), resolveDir: root, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    minifySyntax: true,
    plugins: [plugin],
    logLevel: "error",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
}
