/** A random run for the tests: clients that write, faults that come and go, then healing. */
import { MILLISECOND, SECOND } from "../../../sim/index.ts";
import { ZkCode } from "../txn.ts";
import { Ensemble, type EnsembleOptions, type TestClient } from "./ensemble.ts";
import { Ghost } from "./ghost.ts";

export interface ChaosResult {
  readonly ensemble: Ensemble;
  readonly ghost: Ghost;
  readonly clients: readonly TestClient[];
  /** Writes that were acknowledged: the znode's name. */
  readonly acknowledged: readonly string[];
  /** A write went through after all faults were healed. */
  readonly progressed: boolean;
}

export function chaos(options: EnsembleOptions, faults = 12): ChaosResult {
  const ensemble = new Ensemble({ record: false, ...options, start: false });
  const ghost = new Ghost(ensemble.world);
  const { world, servers } = ensemble;
  const random = world.random.stream("test/chaos");
  for (const node of servers) {
    world.at(random.below(SECOND), () => start(ensemble, ghost, node.id));
  }
  const acknowledged: string[] = [];
  let stopped = false;
  const clients = [ensemble.client(), ensemble.client(), ensemble.client()];
  clients.forEach((client, number) => {
    client.spawn(function* (_zookeeper, context) {
      for (let i = 0; !stopped; i++) {
        const zookeeper = client.zookeeper;
        const name = `/c${number}-${i}`;
        const mode = i % 3 === 0 ? "ephemeral" : "persistent";
        const { code } = yield* zookeeper.create(name, String(i), mode);
        if (code === ZkCode.OK && mode === "persistent") acknowledged.push(name);
        if (code === ZkCode.SESSIONEXPIRED) return;
        yield* zookeeper.getData(name);
        yield* context.sleep(random.between(1, 400) * MILLISECOND);
      }
    });
  });
  ensemble.run(5);
  const undo: (() => void)[] = [];
  for (let i = 0; i < faults; i++) {
    oneFault(ensemble, ghost, undo);
    world.runUntil(world.now + random.between(50, 6_000) * MILLISECOND);
  }
  for (const heal of undo) heal();
  for (const node of servers) {
    world.resume(node);
    node.disk.extraSyncLatency = 0;
    start(ensemble, ghost, node.id);
  }
  ensemble.run(60);
  ensemble.runUntilServing(servers.length - 1, 300);
  stopped = true;
  const last = ensemble.client();
  const progressed = last.run(function* (zookeeper) {
    yield* zookeeper.whenConnected();
    return (yield* zookeeper.create("/last", "", "persistent")).code === ZkCode.OK;
  }, 120);
  ensemble.run(10);
  return { ensemble, ghost, clients, acknowledged, progressed };
}

function start(ensemble: Ensemble, ghost: Ghost, id: number): void {
  const node = ensemble.servers[id];
  if (node === undefined || node.running) return;
  ghost.restarted(id + 1);
  ensemble.world.start(node);
}

function oneFault(ensemble: Ensemble, ghost: Ghost, undo: (() => void)[]): void {
  const { world, servers } = ensemble;
  const random = world.random.stream("test/chaos");
  const node = random.pick(servers);
  const length = random.between(1, 15_000) * MILLISECOND;
  switch (random.below(7)) {
    case 0:
      world.kill(node);
      world.at(world.now + length, () => start(ensemble, ghost, node.id));
      return;
    case 1:
      world.powerOff(node);
      world.at(world.now + length, () => start(ensemble, ghost, node.id));
      return;
    case 2: {
      const away = random.sample(servers, random.between(1, servers.length - 1));
      const rest = servers.filter((other) => !away.includes(other));
      let heal: (() => void) | null = ensemble.partition(
        away.map(({ id }) => id),
        rest.map(({ id }) => id),
      );
      const once = () => {
        heal?.();
        heal = null;
      };
      undo.push(once);
      world.at(world.now + length, once);
      return;
    }
    case 3:
      world.pause(node);
      world.at(world.now + length, () => world.resume(node));
      return;
    case 4:
      // Everybody loses power at once.
      for (const other of servers) world.powerOff(other);
      for (const other of servers) {
        const at = world.now + random.between(1, 3_000) * MILLISECOND;
        world.at(at, () => start(ensemble, ghost, other.id));
      }
      return;
    case 5:
      world.reset(node, random.pick(servers));
      return;
    default:
      node.disk.extraSyncLatency = random.between(0, 200) * MILLISECOND;
  }
}
