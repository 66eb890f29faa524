/**
 * The schema of a scenario: what a file may say, with defaults and one sentence per field.
 *
 * Built twice: once plain, to validate a scenario whose draws have been made, and once with every
 * value open to `{ pick }` and `{ between }`, for editors (JSON Schema). Faults have their own schema.
 */
import { z } from "zod";
import { faultFileSchema } from "../faults/schema.ts";
import { CONSUMER_DEFAULTS, PRODUCER_DEFAULTS } from "../model/clients/config.ts";
import { BROKER_DEFAULTS, TOPIC_KEYS } from "../model/kafka/config.ts";
import { ZOOKEEPER_DEFAULTS } from "../model/zookeeper/config.ts";
import { formatDuration, parseDuration } from "../sim/index.ts";
import { adminSchema, maintenanceSchema } from "./admin-schema.ts";
import { TIMEOUT_NAMES } from "./timeouts.ts";

type Wrap = <T extends z.ZodType>(schema: T) => T;

const plain: Wrap = (schema) => schema;

/** For the JSON Schema: the value itself, or one of the forms that the seed decides. */
const drawable: Wrap = (schema) =>
  z.union([
    schema,
    z.strictObject({ pick: z.array(schema).min(1) }),
    z.strictObject({ between: z.tuple([z.int(), z.int()]) }),
  ]) as unknown as typeof schema;

function durationSchema() {
  return z.string().refine((text) => parseDuration(text) !== null, {
    error: (issue) => `expected a duration such as 500ms, 10s or 2m, not "${issue.input}"`,
  });
}

/** Partial configuration under Kafka's own keys, each of the type of its default. */
function configSchema(defaults: { readonly [key: string]: unknown }, wrap: Wrap) {
  const shape: { [key: string]: z.ZodType } = {};
  for (const [key, value] of Object.entries(defaults)) {
    const type =
      typeof value === "number"
        ? z.number()
        : typeof value === "boolean"
          ? z.boolean()
          : z.string();
    shape[key] = wrap(type as z.ZodType).optional();
  }
  return z.strictObject(shape);
}

function topicDefaults(): { [key: string]: unknown } {
  const defaults: { [key: string]: unknown } = {};
  for (const [key, brokerKey] of Object.entries(TOPIC_KEYS))
    defaults[key] = BROKER_DEFAULTS[brokerKey];
  return defaults;
}

/** One record of an explicit schedule: `{ at: 2.5s, to: orders-0, key: k1 }`. */
const sendSchema = z.strictObject({
  at: durationSchema().describe("When, from the begin of the load"),
  to: z.string().regex(/^[A-Za-z0-9._]+-\d+$/, "expected a partition such as orders-0"),
  key: z.string().optional(),
});

/** `acks` is written 0, 1, -1 or all. */
const acksSchema = z
  .union([z.literal("all"), z.literal(-1), z.literal(0), z.literal(1), z.enum(["-1", "0", "1"])])
  .transform((acks) => (String(acks) === "-1" ? "all" : String(acks)));

function build(wrap: Wrap, forFile: boolean) {
  const producerConfig = configSchema(PRODUCER_DEFAULTS, wrap).extend({
    acks: wrap(
      forFile ? z.union([z.enum(["all", "0", "1", "-1"]), z.int()]) : acksSchema,
    ).optional(),
  } as { [key: string]: z.ZodType });
  return z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]*$/, "expected lower-case words joined by hyphens")
        .describe("Name of the scenario, as on the command line"),
      says: z.string().min(1).describe("What the scenario shows, in one or two sentences"),
      timeouts: wrap(z.enum(TIMEOUT_NAMES))
        .default("default")
        .describe(
          "Coherent set of time-outs: Kafka's defaults, or faster ones of the same proportions",
        ),
      duration: wrap(durationSchema())
        .default("60s")
        .describe("Virtual time under load and faults"),
      converge: wrap(durationSchema())
        .default("10m")
        .describe("Virtual time that the healed cluster has to converge"),
      cluster: z
        .strictObject({
          zookeeper: wrap(z.int().min(1).max(7)).default(3).describe("ZooKeeper servers"),
          brokers: wrap(z.int().min(1).max(300)).default(3).describe("Brokers, with ids from 1"),
          racks: z.array(z.string()).optional().describe("Racks, dealt to the brokers in turn"),
          config: configSchema(BROKER_DEFAULTS, wrap)
            .default({})
            .describe("Broker configuration under Kafka's keys"),
          brokerConfig: z
            .record(z.string().regex(/^\d+$/), configSchema(BROKER_DEFAULTS, wrap))
            .default({})
            .describe("Configuration of single brokers by id, on top"),
          zookeeperConfig: configSchema(ZOOKEEPER_DEFAULTS, wrap)
            .default({})
            .describe("ZooKeeper configuration under its keys"),
        })
        .prefault({}),
      topics: z
        .array(
          z.strictObject({
            name: z
              .string()
              .regex(/^[A-Za-z0-9._]+$/, "expected letters, digits, dots, underscores"),
            partitions: wrap(z.int().min(1).max(10_000)).default(1),
            replicationFactor: wrap(z.int().min(1)).default(3),
            replicas: z
              .array(z.array(z.int().min(1)).min(1))
              .optional()
              .describe("Brokers of each partition, the preferred first; absent: Kafka's formula"),
            config: configSchema(topicDefaults(), wrap).default({}),
          }),
        )
        .min(1)
        .describe("Topics, created before the load starts"),
      producers: z
        .array(
          z.strictObject({
            count: wrap(z.int().min(1).max(100)).default(1),
            topics: z.array(z.string()).optional().describe("Absent: all topics"),
            rate: wrap(z.number().positive().max(100_000))
              .default(50)
              .describe("Records per second"),
            keys: wrap(z.int().min(0)).default(10).describe("Distinct keys; 0: no keys"),
            maxOpen: wrap(z.int().min(1).max(10_000))
              .default(100)
              .describe("Sends without outcome"),
            padding: wrap(z.int().min(0)).default(0).describe("Bytes added to each value"),
            sends: z
              .array(sendSchema)
              .optional()
              .describe("These records and no others: rate and keys do not count then"),
            config: producerConfig.default({}).describe("Producer configuration"),
          }),
        )
        .default([]),
      consumers: z
        .array(
          z.strictObject({
            count: wrap(z.int().min(1).max(100)).default(1),
            topics: z.array(z.string()).optional().describe("Absent: all topics"),
            reassignEvery: wrap(durationSchema())
              .optional()
              .describe("Take other partitions so often"),
            pollTimeout: wrap(durationSchema()).default("500ms"),
            config: configSchema(CONSUMER_DEFAULTS, wrap)
              .default({})
              .describe("Consumer configuration"),
          }),
        )
        .default([]),
      faults: z
        .array(faultFileSchema)
        .default([])
        .describe("Explicit faults, from the start of load"),
      admin: z
        .array(adminSchema)
        .default([])
        .describe("What an operator does, at times from the start of load"),
      maintenance: maintenanceSchema(wrap)
        .optional()
        .describe("Draws operations from the seed, orderly restarts of brokers among them"),
      nemesis: z
        .strictObject({
          kinds: z.array(z.string()).optional().describe("Restrict to these kinds"),
          intensity: wrap(z.enum(["low", "medium", "high"])).default("medium"),
          reactive: wrap(z.boolean()).default(true).describe("Strike at dangerous moments too"),
          dataLoss: wrap(z.boolean()).default(true).describe("Power loss and lying disks allowed"),
        })
        .optional()
        .describe("Draws a plan of faults from the seed"),
      expect: z
        .strictObject({
          verdict: z.enum(["held", "violated", "unknown"]).default("held"),
          outside: z
            .array(z.string())
            .default([])
            .describe("Clauses expected to be named in `outside`"),
        })
        .prefault({}),
    })
    .describe("A scenario of kafka-trial");
}

export const scenarioSchema = build(plain, false);
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ParsedScenario = z.output<typeof scenarioSchema>;

/** JSON Schema (draft 2020-12) of scenario files, the drawn forms included. */
export function scenarioJsonSchema(): unknown {
  return z.toJSONSchema(build(drawable, true), { io: "input", unrepresentable: "any" });
}

/** Known keys at a path of the schema, for did-you-mean. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: z.ZodType = scenarioSchema;
  for (const part of path) {
    const inner = unwrap(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[part as string] as z.ZodType;
    else if (inner instanceof z.ZodArray) schema = inner.element as z.ZodType;
    else if (inner instanceof z.ZodRecord) schema = inner.valueType as z.ZodType;
    else return [];
    if (schema === undefined) return [];
  }
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  return [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional
  ) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

export { formatDuration };
