import { describe, expect, it } from "vitest";
import { betterVote } from "./election-messages.ts";
import { writeHistory } from "./testing/disk.ts";
import { Ensemble } from "./testing/ensemble.ts";
import { makeZxid } from "./txn.ts";

/** The three histories of appendix A.17. */
function vectors(): Ensemble {
  const ensemble = new Ensemble({ start: false });
  const upTo = (epoch: number, last: number) =>
    Array.from({ length: last }, (_, i) => makeZxid(epoch, i + 1));
  writeHistory(ensemble.node(1), { currentEpoch: 5, zxids: upTo(5, 17) });
  writeHistory(ensemble.node(2), { currentEpoch: 5, zxids: upTo(5, 20) });
  writeHistory(ensemble.node(3), { currentEpoch: 4, zxids: upTo(4, 99) });
  return ensemble;
}

describe("fast leader election", () => {
  it("orders votes by epoch, then zxid, then id [FLE-1]", () => {
    const vote = (leader: number, peerEpoch: number, zxid: number) => ({ leader, peerEpoch, zxid });
    expect(betterVote(vote(1, 5, 1), vote(3, 4, 99))).toBe(true);
    expect(betterVote(vote(1, 5, 20), vote(3, 5, 17))).toBe(true);
    expect(betterVote(vote(2, 5, 20), vote(1, 5, 20))).toBe(true);
    expect(betterVote(vote(2, 5, 20), vote(2, 5, 20))).toBe(false);
  });

  it("elects the highest zxid of the highest epoch [A.17]", () => {
    const ensemble = vectors();
    for (const node of ensemble.servers) ensemble.world.start(node);
    expect(ensemble.runUntilServing(2)).toBe(2);
  });

  it("counts the epoch before the counter [A.17]", () => {
    const ensemble = vectors();
    ensemble.world.start(ensemble.node(1));
    ensemble.world.start(ensemble.node(3));
    expect(ensemble.runUntilServing(1)).toBe(1);
  });

  it("lets the third server join by notifications of followers and leader [FLE-5] [A.17]", () => {
    const ensemble = new Ensemble({ start: false });
    ensemble.world.start(ensemble.node(1));
    ensemble.world.start(ensemble.node(2));
    expect(ensemble.runUntilServing(1)).toBe(2);
    ensemble.world.start(ensemble.node(3));
    expect(ensemble.runUntilServing(2)).toBe(2);
    expect(ensemble.server(3).state).toBe("FOLLOWING");
    const states = ensemble.of("ZkStateChanged").filter(({ server }) => server === 3);
    expect(states.map(({ state }) => state)).toEqual(["LOOKING", "FOLLOWING"]);
  });

  it("does not elect without a quorum, and a lone server keeps looking [FLE-4]", () => {
    const ensemble = new Ensemble({ servers: 5, start: false });
    ensemble.world.start(ensemble.node(1));
    ensemble.world.start(ensemble.node(2));
    ensemble.run(60);
    expect(ensemble.of("ZkStateChanged").every(({ state }) => state === "LOOKING")).toBe(true);
  });

  it("raises the epoch above all that the quorum accepted [ZAB-10] [A.17]", () => {
    const start = (which: readonly number[]) => {
      const ensemble = new Ensemble({ start: false });
      [5, 6, 4].forEach((acceptedEpoch, i) => {
        writeHistory(ensemble.node(i + 1), { acceptedEpoch, currentEpoch: 4, zxids: [] });
      });
      for (const id of which) ensemble.world.start(ensemble.node(id));
      ensemble.runUntilServing(which.length - 1);
      return ensemble;
    };
    const [all] = start([1, 2]).of("ZkLeaderServing");
    expect(all?.epoch).toBe(7);
    const ensemble = start([1, 3]);
    expect(ensemble.of("ZkLeaderServing")[0]?.epoch).toBe(6);
    // The second has accepted 6 already: it does not count, but it is synchronised [ZAB-11].
    ensemble.world.start(ensemble.node(2));
    ensemble.runUntilServing(2);
    expect(ensemble.server(2).epoch).toBe(6);
  });

  it("survives the death of the leader and a second one [ZFS-3]", () => {
    const ensemble = new Ensemble({ servers: 5 });
    const first = ensemble.runUntilServing(4);
    ensemble.world.kill(ensemble.node(first));
    const second = ensemble.runUntilServing(3);
    expect(second).not.toBe(first);
    ensemble.world.powerOff(ensemble.node(second));
    const third = ensemble.runUntilServing(2);
    const epochs = ensemble.of("ZkLeaderServing").map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    ensemble.world.start(ensemble.node(first));
    ensemble.world.start(ensemble.node(second));
    expect(ensemble.runUntilServing(4)).toBe(third);
  });

  it("makes a leader without quorum step down within syncLimit ticks [ZAB-33]", () => {
    const ensemble = new Ensemble({});
    const old = ensemble.runUntilServing(2);
    const others = ensemble.servers.map(({ id }) => id).filter((id) => id !== old - 1);
    const heal = ensemble.partition([old - 1], others);
    const { syncLimit, tickTime } = ensemble.config;
    ensemble.run((syncLimit * tickTime) / 1000 + 3 * (tickTime / 1000));
    expect(ensemble.server(old).state).toBe("LOOKING");
    expect(ensemble.server(old).isServing).toBe(false);
    const leader = ensemble.runUntilServing(1);
    expect(leader).not.toBe(old);
    heal();
    expect(ensemble.runUntilServing(2)).toBe(leader);
  });
});
