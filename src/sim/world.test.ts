/** The machine as its users see it: processes, timers, flows, crashes, determinism, limits. */
import { describe, expect, it } from "vitest";
import type { Connection, ConnectionHandler, Service } from "./connection.ts";
import { Completion, type Flow } from "./flow.ts";
import { LimitReached } from "./limits.ts";
import type { ProcessContext, ProcessFactory } from "./process.ts";
import { World } from "./world.ts";

interface Text {
  readonly text: string;
}
const ECHO: Service<Text> = {
  name: "echo",
  typeOf: (message) => message.text.split(" ")[0] as string,
  sizeOf: (message) => message.text.length,
  digest: (message) => message.text.length,
};

/** Answers every message with the same text and a mark. */
const echoServer: ProcessFactory = (context) => {
  context.listen(ECHO, () => ({
    onMessage: (connection, message) => connection.send({ text: `${message.text}!` }),
    onClose: () => {},
  }));
  return {};
};

interface Client {
  context: ProcessContext;
  heard: string[];
  connection: Connection<Text>;
}

function twoNodes(seed = "s"): { world: World; client: Client } {
  const world = new World({ seed, checked: true });
  const heard: string[] = [];
  const state = { heard } as unknown as Client;
  world.addNode({ name: "server", group: "server", factory: echoServer });
  world.addNode({
    name: "client",
    group: "client",
    factory: (context) => {
      state.context = context;
      const handler: ConnectionHandler<Text> = {
        onOpen: () => heard.push("open"),
        onMessage: (_, message) => heard.push(message.text),
        onClose: (_, reason) => heard.push(`closed: ${reason}`),
      };
      state.connection = context.connect(0, ECHO, handler);
      return {};
    },
  });
  for (const node of world.nodes) world.start(node);
  return { world, client: state };
}

describe("connections", () => {
  it("delivers in order, and answers after the handshake", () => {
    const { world, client } = twoNodes();
    for (const text of ["a", "b", "c"]) client.connection.send({ text });
    world.runUntil(1_000_000);
    expect(client.heard).toEqual(["open", "a!", "b!", "c!"]);
  });

  it("keeps the order of what was written before the handshake was seen", () => {
    const { world, client } = twoNodes();
    client.connection.send({ text: "a" });
    world.pause(world.node(1));
    world.runUntil(100_000);
    client.connection.send({ text: "b" });
    world.resume(world.node(1));
    world.runUntil(200_000);
    expect(client.heard).toEqual(["open", "a!", "b!"]);
  });

  it("freezes messages in checked mode", () => {
    const { client } = twoNodes();
    const message = { text: "a" };
    client.connection.send(message);
    expect(Object.isFrozen(message)).toBe(true);
  });

  it("is closed by the operating system when the process is killed", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.kill(world.node(0));
    world.runUntil(20_000);
    expect(client.heard).toEqual(["open", "closed: closed"]);
  });

  it("is refused where nobody listens", () => {
    const { world, client } = twoNodes();
    world.kill(world.node(0));
    world.runUntil(20_000);
    expect(client.heard).toEqual(["closed: refused"]);
  });

  it("stays half-open after a power failure until the machine is back", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.powerOff(world.node(0));
    client.connection.send({ text: "lost" });
    world.runUntil(5_000_000);
    expect(client.heard).toEqual(["open"]);
    world.start(world.node(0));
    world.runUntil(60_000_000);
    expect(client.heard).toEqual(["open", "closed: reset"]);
  });

  it("holds messages during a partition and delivers them in order after it", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.network.block(1, 0);
    for (const text of ["a", "b"]) client.connection.send({ text });
    world.runUntil(1_000_000);
    expect(client.heard).toEqual(["open"]);
    world.network.unblock(1, 0);
    client.connection.send({ text: "c" });
    world.runUntil(10_000_000);
    expect(client.heard).toEqual(["open", "a!", "b!", "c!"]);
  });

  it("loses nothing that was in flight when the partition began", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    client.connection.send({ text: "a" });
    world.network.block(1, 0);
    client.connection.send({ text: "b" });
    world.runUntil(500_000);
    expect(client.heard).toEqual(["open"]);
    world.network.unblock(1, 0);
    world.runUntil(10_000_000);
    expect(client.heard).toEqual(["open", "a!", "b!"]);
  });

  it("releases a clog at once", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.network.clog(1, 0);
    client.connection.send({ text: "a" });
    world.runUntil(9_000_000);
    world.network.unclog(1, 0);
    world.runUntil(9_010_000);
    expect(client.heard).toEqual(["open", "a!"]);
  });

  it("keeps the order of what a clog held and what was in flight all the time", () => {
    for (const end of ["clog", "block"] as const) {
      const { world, client } = twoNodes();
      world.runUntil(10_000);
      const link = world.network.link(1, 0);
      client.connection.send({ text: "a" });
      link.extraLatency = { minimum: 5_000_000, tail: 0 };
      client.connection.send({ text: "b" });
      world.network[end](1, 0);
      world.runUntil(100_000);
      client.connection.send({ text: "c" });
      world.runUntil(1_000_000);
      world.network[end === "clog" ? "unclog" : "unblock"](1, 0);
      world.runUntil(40_000_000);
      expect(client.heard).toEqual(["open", "a!", "b!", "c!"]);
    }
  });

  it("breaks after the give-up time of a long partition", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.network.block(1, 0);
    client.connection.send({ text: "a" });
    world.runUntil(2_000_000_000);
    expect(client.heard).toEqual(["open", "closed: timeout"]);
  });

  it("resets on request, on both sides", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.reset(world.node(0), world.node(1));
    world.runUntil(20_000);
    expect(client.heard).toEqual(["open", "closed: reset"]);
    expect(world.node(0).context?.endpoints.size).toBe(0);
  });

  it("hears nothing on a half-open connection", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.halfOpen(world.node(0), world.node(1));
    client.connection.send({ text: "a" });
    world.runUntil(60_000_000);
    expect(client.heard).toEqual(["open"]);
  });

  it("pays for loss with retransmission time-outs", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.network.link(1, 0).lossPerMille = 900;
    client.connection.send({ text: "a" });
    world.runUntil(100_000);
    expect(client.heard).toEqual(["open"]);
    world.runUntil(900_000_000);
    expect(client.heard.slice(1).length).toBe(1);
  });

  it("takes time for bytes where bandwidth is limited", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.network.link(1, 0).bytesPerSecond = 100;
    client.connection.send({ text: "x".repeat(100) });
    world.runUntil(900_000);
    expect(client.heard).toEqual(["open"]);
    world.runUntil(1_100_000);
    expect(client.heard.length).toBe(2);
  });

  it("lets a process that is paused answer later, in order", () => {
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    world.pause(world.node(0));
    for (const text of ["a", "b"]) client.connection.send({ text });
    world.runUntil(5_000_000);
    expect(client.heard).toEqual(["open"]);
    world.resume(world.node(0));
    world.runUntil(5_010_000);
    expect(client.heard).toEqual(["open", "a!", "b!"]);
  });
});

describe("message rules", () => {
  it("drop, delay, duplicate by type", async () => {
    const { ActiveRule } = await import("./message-rule.ts");
    const { world, client } = twoNodes();
    world.runUntil(10_000);
    const base = { from: null, to: null, perMille: 1000, times: 1 };
    world.network.rules.push(
      new ActiveRule({ ...base, type: "drop", action: { kind: "drop" } }),
      new ActiveRule({ ...base, type: "late", action: { kind: "delay", by: 1_000_000 } }),
      new ActiveRule({ ...base, type: "twice", action: { kind: "duplicate", after: 10 } }),
    );
    for (const text of ["drop", "late", "twice", "plain"]) client.connection.send({ text });
    world.runUntil(3_000_000);
    expect(client.heard.slice(1).sort()).toEqual(["late!", "plain!", "twice!", "twice!"]);
    expect(client.heard.at(-1)).toBe("late!");
  });
});

describe("processes", () => {
  function alone(factory: ProcessFactory): World {
    const world = new World({ seed: "s" });
    world.addNode({ name: "n", group: "g", factory });
    world.start(world.node(0));
    return world;
  }

  it("runs timers by the monotonic clock, drift included", () => {
    const fired: number[] = [];
    const world = new World({ seed: "s" });
    world.addNode({
      name: "n",
      group: "g",
      factory: (context) => {
        context.after(1_000_000, () => fired.push(context.kernel.now));
        return {};
      },
    });
    world.node(0).clock.setDrift(0, 100_000);
    world.start(world.node(0));
    world.runUntil(2_000_000);
    expect(fired).toEqual([909_091]);
  });

  it("does not fire a timer by a jump of the wall clock", () => {
    const fired: number[] = [];
    const world = alone((context) => {
      context.after(1_000_000, () => fired.push(context.wallMillis()));
      return {};
    });
    world.node(0).clock.jump(3_600_000_000);
    world.runUntil(999_999);
    expect(fired).toEqual([]);
    world.runUntil(1_000_000);
    expect(fired).toEqual([3_601_000]);
  });

  it("lets nothing of an old incarnation fire in a new one", () => {
    const log: string[] = [];
    const world = alone((context) => {
      const life = context.incarnation;
      context.after(1_000, () => log.push(`timer of ${life}`));
      context.spawn(
        "sleeper",
        (function* (): Flow<void> {
          yield* context.sleep(2_000);
          log.push(`flow of ${life}`);
        })(),
      );
      const file = context.disk.appendFile<string>("f");
      file.append("x", 1);
      context.sync(file, () => log.push(`sync of ${life}`));
      return {};
    });
    world.kill(world.node(0));
    world.start(world.node(0));
    world.runUntil(10_000);
    expect(log.sort()).toEqual(["flow of 2", "sync of 2", "timer of 2"]);
  });

  it("cancels a timer that expired while the process was paused", () => {
    const log: string[] = [];
    const world = alone((context) => {
      const second = context.timer(() => log.push("second"));
      context.after(1_000, () => {
        log.push("first");
        second.cancel();
      });
      second.set(2_000);
      return {};
    });
    world.pause(world.node(0));
    world.runUntil(10_000);
    world.resume(world.node(0));
    world.runUntil(20_000);
    expect(log).toEqual(["first"]);
  });

  it("spreads turns over time on a slow node", () => {
    const log: number[] = [];
    const world = alone((context) => {
      for (let i = 0; i < 3; i++) context.after(1_000, () => log.push(context.kernel.now));
      return {};
    });
    world.slow(world.node(0), 500);
    world.runUntil(10_000);
    expect(log).toEqual([1_000, 1_500, 2_000]);
  });

  it("resumes flows within the turn that settles what they wait for", () => {
    const log: string[] = [];
    alone((context) => {
      const gate = new Completion<string>();
      const run = context.spawn(
        "waiter",
        (function* (): Flow<number> {
          log.push(yield* gate.wait());
          try {
            const broken = new Completion<void>();
            broken.reject(new Error("broken"));
            yield* broken.wait();
          } catch (error) {
            log.push((error as Error).message);
          }
          return 7;
        })(),
      );
      gate.resolve("open");
      run.done.onSettled(() => log.push(String(run.done.value)));
      return {};
    });
    expect(log).toEqual(["open", "broken", "7"]);
  });

  it("stops in good order when it can, at once when it cannot", () => {
    const log: string[] = [];
    const world = alone((context) => ({
      shutdown() {
        log.push("stopping");
        context.after(1_000, () => context.exit());
      },
    }));
    world.stop(world.node(0));
    expect(world.node(0).running).toBe(true);
    world.runUntil(2_000);
    expect(world.node(0).running).toBe(false);
    expect(log).toEqual(["stopping"]);
  });
});

describe("determinism and limits", () => {
  function fingerprint(seed: string): string {
    const { world, client } = twoNodes(seed);
    for (let i = 0; i < 20; i++) client.connection.send({ text: `m${i}` });
    world.runUntil(1_000_000);
    return world.fingerprint.toString();
  }

  it("gives the same fingerprint for the same seed, another for another", () => {
    expect(fingerprint("1")).toBe(fingerprint("1"));
    expect(fingerprint("1")).not.toBe(fingerprint("2"));
    expect(fingerprint("1")).toMatch(/^[0-9a-f]{16}$/);
  });

  it("reports a limit as such", () => {
    const world = new World({ seed: "s", limits: { maxEvents: 10 } });
    const again = () => world.at(world.now + 1, again);
    world.at(0, again);
    expect(() => world.runUntil(1_000)).toThrow(LimitReached);
  });
});
