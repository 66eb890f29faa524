import { describe, expect, it } from "vitest";
import { RandomStream } from "../sim/index.ts";
import { parseTarget, resolveTarget } from "./targets.ts";
import { echoWorld, stateRoles } from "./testing/echo-world.ts";

function resolver(isr?: readonly number[]) {
  const echo = echoWorld();
  stateRoles(echo, isr);
  const random = new RandomStream("targets", "1");
  return (text: string) =>
    resolveTarget(parseTarget(text), echo.world, echo.roles, random).map(({ name }) => name);
}

describe("resolving targets", () => {
  it("finds names, groups, racks and roles", () => {
    const resolve = resolver([1, 3]);
    const found = new Map<string, string[]>();
    for (const text of [
      "b1, zk2, b1",
      "brokers",
      "zookeeper",
      "clients",
      "servers",
      "none",
      "leader(orders-0)",
      "isr(orders-0)",
      "replicas(orders-0)",
      "followers(orders-0)",
      "in-sync-followers(orders-0)",
      "controller",
      "zk-leader",
      "zk-followers",
      "rack(a)",
      "except(brokers, controller)",
      "except(brokers, b1, b2)",
      "some(5, brokers)",
      "leader(nothing-7)",
      "b9",
    ]) {
      found.set(text, resolve(text));
    }
    expect(Object.fromEntries(found)).toEqual({
      "b1, zk2, b1": ["b1", "zk2"],
      brokers: ["b1", "b2", "b3"],
      zookeeper: ["zk1", "zk2", "zk3"],
      clients: ["p1", "c1"],
      servers: ["zk1", "zk2", "zk3", "b1", "b2", "b3"],
      none: [],
      "leader(orders-0)": ["b1"],
      "isr(orders-0)": ["b1", "b3"],
      "replicas(orders-0)": ["b1", "b2", "b3"],
      "followers(orders-0)": ["b2", "b3"],
      "in-sync-followers(orders-0)": ["b3"],
      controller: ["b2"],
      "zk-leader": ["zk2"],
      "zk-followers": ["zk1", "zk3"],
      "rack(a)": ["b1", "b2"],
      "except(brokers, controller)": ["b1", "b3"],
      "except(brokers, b1, b2)": ["b3"],
      "some(5, brokers)": ["b1", "b2", "b3"],
      "leader(nothing-7)": [],
      b9: [],
    });
  });

  it("draws only where there is a choice", () => {
    const resolve = resolver();
    expect(resolve("any")).toHaveLength(1);
    expect(resolve("any(isr(orders-0))")).toHaveLength(1);
    expect(resolve("some(2, brokers)")).toHaveLength(2);
    expect(resolve("half(servers)")).toHaveLength(3);
    expect(resolve("majority(zookeeper)")).toHaveLength(2);
  });
});

describe("parsing targets", () => {
  const messageOf = (text: string): string => {
    try {
      parseTarget(text);
      return "no error";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("says what is impossible and what was meant", () => {
    expect(messageOf("")).toMatchInlineSnapshot(
      `"an empty target: name a node, a role or a group"`,
    );
    expect(messageOf("leader")).toMatchInlineSnapshot(
      `""leader" needs a partition, as in leader(orders-0)"`,
    );
    expect(messageOf("leader(orders)")).toMatchInlineSnapshot(
      `"leader(orders): expected a partition <topic>-<number>, as in leader(orders-0)"`,
    );
    expect(messageOf("controler")).toMatchInlineSnapshot(
      `"unknown target "controler": expected a node name such as b1, zk1, p1 or c1, a role or a group. Did you mean "controller"?"`,
    );
    expect(messageOf("leder(orders-0)")).toMatchInlineSnapshot(
      `"unknown role "leder". Did you mean "leader"?"`,
    );
    expect(messageOf("controller(orders-0)")).toMatchInlineSnapshot(
      `"impossible target "controller(orders-0)": "controller" takes no argument"`,
    );
    expect(messageOf("some(0, brokers)")).toMatchInlineSnapshot(
      `"some(0, brokers): expected a number from 1 and a group, as in some(2, brokers)"`,
    );
    expect(messageOf("except(brokers)")).toMatchInlineSnapshot(
      `"except(brokers) needs whom to leave out, as in except(brokers, controller)"`,
    );
    expect(messageOf("any(brokers")).toMatchInlineSnapshot(`"a "(" without ")" in "any(brokers""`);
    expect(messageOf("b1,, b2")).toMatchInlineSnapshot(`"an empty entry in "b1,, b2""`);
    expect(messageOf("rack()")).toMatchInlineSnapshot(
      `""rack()" needs an argument, as in rack(a)"`,
    );
    expect(messageOf("broker-1")).toMatchInlineSnapshot(
      `"unknown target "broker-1": expected a node name such as b1, zk1, p1 or c1, a role or a group. Did you mean "brokers"?"`,
    );
  });

  it("takes topics with dots and hyphens", () => {
    expect(parseTarget("leader(my.topic-a-12)")).toEqual({
      type: "role",
      role: "leader",
      topic: "my.topic-a",
      partition: 12,
    });
  });
});
