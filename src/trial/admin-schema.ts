/**
 * Administrative operations in a scenario file: `admin:`, a list of operations at times.
 *
 * An operation is named by its key, as a fault is by its kind: `{ at: 5s, reassign: orders-0, to: [4, 5] }`.
 * What is parsed is what was written, with defaults: it goes into failure files and back.
 */
import { z } from "zod";
import { BROKER_DEFAULTS, TOPIC_KEYS } from "../model/kafka/config.ts";
import { parseDuration } from "../sim/index.ts";
import { suggestion } from "./nearest.ts";

/** The operations, and the further fields of each. */
export const ADMIN_OPERATIONS: {
  readonly [operation: string]: {
    readonly needs: readonly string[];
    readonly may: readonly string[];
  };
} = {
  reassign: { needs: ["to"], may: [] },
  "cancel-reassignment": { needs: [], may: [] },
  elect: { needs: [], may: ["of"] },
  "create-topic": { needs: [], may: ["partitions", "replicationFactor", "config"] },
  "delete-topic": { needs: [], may: [] },
  "add-partitions": { needs: ["count"], may: [] },
  configure: { needs: [], may: ["set", "unset"] },
  "delete-records": { needs: [], may: ["before"] },
  reconfigure: { needs: ["set"], may: [] },
};

const partitionName = z
  .string()
  .regex(/^[A-Za-z0-9._]+-\d+$/, "expected a partition such as orders-0");
const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._]+$/, "expected letters, digits, dots, underscores");
const settings = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const shape = {
  at: z
    .string()
    .refine((text) => parseDuration(text) !== null, {
      error: (issue) => `expected a duration such as 500ms, 10s or 2m, not "${issue.input}"`,
    })
    .describe("When, from the begin of the load"),
  reassign: partitionName.optional().describe("Give a partition other replicas (KIP-455)"),
  to: z.array(z.int().min(1)).min(1).optional().describe("The brokers, the preferred leader first"),
  "cancel-reassignment": partitionName.optional().describe("Back to the replicas of before"),
  elect: z
    .enum(["preferred", "unclean"])
    .optional()
    .describe("Elect leaders: the first replica, or whoever lives"),
  of: z.array(partitionName).min(1).optional().describe("Partitions; absent: all that need it"),
  "create-topic": topicName.optional().describe("Create a topic"),
  partitions: z.int().min(1).max(10_000).optional().describe("Of the topic created; default 1"),
  replicationFactor: z.int().min(1).optional().describe("Of the topic created; default 3"),
  config: settings.optional().describe("Settings of the topic created"),
  "delete-topic": topicName.optional().describe("Delete a topic with all its records"),
  "add-partitions": topicName.optional().describe("Add partitions to a topic"),
  count: z.int().min(2).max(10_000).optional().describe("How many there are then"),
  configure: topicName.optional().describe("Change a topic's settings at run time"),
  set: settings.optional().describe("New values under Kafka's keys"),
  unset: z.array(z.string()).optional().describe("Settings to be taken away"),
  "delete-records": partitionName.optional().describe("Delete a partition's oldest records"),
  before: z.int().min(-1).optional().describe("First offset kept; -1 (default): high watermark"),
  reconfigure: z
    .string()
    .regex(/^b\d+$/, "expected a broker such as b1")
    .optional()
    .describe("Change a broker's configuration file: counts from its next start"),
};

export const adminSchema = z.strictObject(shape).superRefine((value, context) => {
  const complain = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const given = Object.entries(value)
    .filter(([key, one]) => one !== undefined && key !== "at")
    .map(([key]) => key);
  const operations = given.filter((key) => key in ADMIN_OPERATIONS);
  const operation = operations[0];
  if (operation === undefined || operations.length > 1) {
    const found = operations.length > 1 ? operations.join(" and ") : given.join(", ") || "none";
    const known = Object.keys(ADMIN_OPERATIONS).join(", ");
    complain([], `expected one operation of ${known}; found ${found}.`);
    return;
  }
  const { needs, may } = ADMIN_OPERATIONS[operation] as { needs: string[]; may: string[] };
  for (const field of needs) {
    if (!given.includes(field)) complain([], `"${operation}" needs the field "${field}".`);
  }
  for (const field of given) {
    if (field === operation || needs.includes(field) || may.includes(field)) continue;
    complain(
      [field],
      `"${operation}" has no field "${field}".${suggestion(field, [...needs, ...may])}`,
    );
  }
  const known: readonly string[] =
    operation === "reconfigure" ? Object.keys(BROKER_DEFAULTS) : Object.keys(TOPIC_KEYS);
  const check = (field: string, keys: readonly string[]) => {
    for (const key of keys) {
      if (known.includes(key)) continue;
      complain([field, key], `unknown key.${suggestion(key, known)}`);
    }
  };
  check("set", Object.keys(value.set ?? {}));
  check("config", Object.keys(value.config ?? {}));
  check("unset", value.unset ?? []);
  if (operation === "reconfigure") {
    for (const [key, own] of Object.entries(value.set ?? {})) {
      const like = typeof BROKER_DEFAULTS[key as keyof typeof BROKER_DEFAULTS];
      if (like !== "undefined" && like !== typeof own) {
        complain(["set", key], `expected a ${like}, found ${JSON.stringify(own)}.`);
      }
    }
  }
});

export type AdminEntry = z.output<typeof adminSchema>;

/** `maintenance:`, operations drawn from the seed; `wrap` opens values to `{ pick }`. */
export function maintenanceSchema(wrap: <T extends z.ZodType>(schema: T) => T) {
  return z.strictObject({
    operations: wrap(z.tuple([z.int().min(0), z.int().min(0)]))
      .default([1, 4])
      .describe("Fewest and most operations"),
    kinds: z
      .array(z.enum(["reassign", "cancel", "elect", "grow", "recreate", "configure", "bounce"]))
      .optional()
      .describe("Restrict to these kinds"),
  });
}
