import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type Field, KINDS } from "./fields.ts";
import { FAULT_KINDS, type Fault, type FaultKind } from "./plan.ts";
import { faultFileSchema, formatFault, planFromJson, planToJson, readFault } from "./schema.ts";

const targets = fc.constantFrom("b1", "b1, b3", "leader(orders-0)", "any(isr(a.b-c-3))", "rack(a)");

function arbitraryOf(field: Field): fc.Arbitrary<unknown> {
  const value = (): fc.Arbitrary<unknown> => {
    switch (field.type) {
      case "target":
        return targets;
      case "text":
        return fc.oneof(
          fc.constantFrom("LeaderAndIsr.request", "no", "12"),
          fc.string({ minLength: 1 }),
        );
      case "word":
        return fc.constantFrom(...(field.words as readonly string[]));
      default:
        return fc.integer({ min: field.least as number, max: field.most as number });
    }
  };
  return field.fallback === null ? fc.option(value(), { nil: null }) : value();
}

function faultOf(kind: FaultKind): fc.Arbitrary<Fault> {
  const { duration, fields } = KINDS[kind];
  const times = fc.integer({ min: 1, max: 10_000_000_000 });
  const durations = () => {
    if (duration.rule === "instant") return fc.constant(0);
    return duration.rule === "until-heal" ? fc.option(times, { nil: null }) : times;
  };
  const shape: { [key: string]: fc.Arbitrary<unknown> } = {
    kind: fc.constant(kind),
    at: fc.integer({ min: 0, max: 1_000_000_000_000 }),
    duration: durations(),
    target: targets,
  };
  for (const field of fields) shape[field.name] = arbitraryOf(field);
  return fc.record(shape) as unknown as fc.Arbitrary<Fault>;
}

const faults = fc.oneof(...FAULT_KINDS.map(faultOf));

const problemsOf = (value: unknown): string[] => {
  const read = readFault(value);
  if ("fault" in read) return [];
  return read.problems.map(({ field, message }) => `${field}: ${message}`);
};

describe("faults in files", () => {
  it("reads what people write", () => {
    expect(faultFileSchema.parse({ kill: "leader(orders-0)", at: "10s", for: "5s" })).toEqual({
      kind: "kill",
      at: 10_000_000,
      duration: 5_000_000,
      target: "leader(orders-0)",
    });
    expect(
      faultFileSchema.parse({ loss: "b1", at: "1.5s", rate: "12.5%", peers: "clients" }),
    ).toEqual({
      kind: "loss",
      at: 1_500_000,
      duration: null,
      target: "b1",
      peers: "clients",
      direction: "both",
      perMille: 125,
    });
    expect(faultFileSchema.parse({ "clock-jump": "b1", at: "1s", by: "-2m" })).toMatchObject({
      duration: 0,
      by: -120_000_000,
    });
  });

  it("names the field, what was expected and the nearest word", () => {
    expect(problemsOf({ kil: "b1", at: "1s" })).toMatchInlineSnapshot(`
      [
        "kil: names no kind of fault. Did you mean "kill"?",
      ]
    `);
    expect(problemsOf({ kill: "b1" })).toMatchInlineSnapshot(`
      [
        "at: missing: expected a duration such as 500ms, 10s or 2m",
      ]
    `);
    expect(problemsOf({ kill: "leader", at: 10, fro: "5s" })).toMatchInlineSnapshot(`
      [
        "fro: kill has no field "fro". Did you mean "for"?",
        "kill: "leader" needs a partition, as in leader(orders-0)",
        "at: expected a duration such as 500ms, 10s or 2m, not 10",
      ]
    `);
    expect(problemsOf({ kill: "b1", pause: "b2", at: "1s" })).toMatchInlineSnapshot(`
      [
        ": names two kinds of fault: kill and pause; write them one by one",
      ]
    `);
    expect(problemsOf({ partition: "b1", at: "1s", direction: "inn" })).toMatchInlineSnapshot(`
      [
        "direction: expected one of both, in, out, not "inn". Did you mean "in"? (Which messages, seen from the target)",
      ]
    `);
    expect(problemsOf({ loss: "b1", at: "1s", rate: "95%" })).toMatchInlineSnapshot(`
      [
        "rate: expected a rate such as 20% or 0.5% from 0.1% to 90%, not "95%" (How many of the messages, in percent)",
      ]
    `);
    expect(problemsOf({ latency: "b1", at: "1s" })).toMatchInlineSnapshot(`
      [
        "by: missing (Added to each message)",
      ]
    `);
    expect(problemsOf({ reset: "b1", at: "1s", for: "2s" })).toMatchInlineSnapshot(`
      [
        "for: reset acts in an instant: leave out "for"",
      ]
    `);
    expect(problemsOf({ "disk-stall": "b1", at: "1s" })).toMatchInlineSnapshot(`
      [
        "for: missing: a sync that waits for the disk must know when it goes on",
      ]
    `);
    expect(problemsOf("kill b1")).toMatchInlineSnapshot(`
      [
        ": expected a fault such as { kill: b1, at: 10s, for: 5s }",
      ]
    `);
  });

  it("gives zod the path of the field", () => {
    const result = z.array(faultFileSchema).safeParse([{ kill: "b1", at: "1s", for: "soon" }]);
    expect(result.error?.issues).toMatchObject([{ path: [0, "for"] }]);
  });

  it("has a JSON Schema with one alternative per kind", () => {
    const options = { io: "input", unrepresentable: "any" } as const;
    const schema = z.toJSONSchema(faultFileSchema, options) as { anyOf: unknown[] };
    expect(schema.anyOf).toHaveLength(FAULT_KINDS.length);
  });

  it("round trips every plan through JSON exactly", () => {
    fc.assert(
      fc.property(fc.array(faults), (list) => {
        const text = JSON.stringify(planToJson({ faults: list }));
        expect(planFromJson(JSON.parse(text))).toEqual({ faults: list });
      }),
    );
  });

  it("round trips every fault through its printed form", () => {
    fc.assert(
      fc.property(faults, (fault) => {
        const printed = formatFault(fault);
        expect(readFault(parse(printed)), printed).toEqual({ fault });
      }),
      { numRuns: 500 },
    );
  });
});
