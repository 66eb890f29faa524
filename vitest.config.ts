import { join } from "node:path";
import { defineConfig } from "vitest/config";

const source = (name: string) => join(import.meta.dirname, "src", name);

export default defineConfig({
  resolve: {
    // Examples import the package by its name, as its users do.
    alias: [
      { find: /^kafka-trial\/testing$/, replacement: source("testing.ts") },
      { find: /^kafka-trial$/, replacement: source("index.ts") },
    ],
  },
  test: {
    include: [
      "examples/**/*.test.ts",
      "src/**/*.test.ts",
      "properties/**/*.property.test.ts",
      "scenarios/**/*.test.ts",
      "tidy/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    testTimeout: 120_000,
    // On a busy machine a hook that bundles the program takes as long as a test.
    hookTimeout: 120_000,
    pool: "threads",
  },
});
