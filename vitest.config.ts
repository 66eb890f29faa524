import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "properties/**/*.property.test.ts",
      "scenarios/**/*.test.ts",
      "tidy/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    testTimeout: 120_000,
    pool: "threads",
  },
});
