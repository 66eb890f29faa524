import { describe, expect, it } from "vitest";
import type { WatchEvent } from "./client-api.ts";
import { connected, serving } from "./testing/ensemble.ts";

describe("watches", () => {
  it("fire once, and before any answer that reflects the change [WAT-1] [WAT-3]", () => {
    const { ensemble } = serving();
    const watching = connected(ensemble);
    const writer = connected(ensemble);
    const heard: string[] = [];
    const watcher = (event: WatchEvent) => heard.push(`${event.type} ${event.path}`);
    watching.run(function* (zk) {
      yield* zk.exists("/w", watcher);
      yield* zk.getChildren("/", watcher);
    });
    writer.run(function* (zk) {
      yield* zk.create("/w", "0", "persistent");
    });
    watching.run(function* (zk) {
      yield* zk.sync("/");
      expect((yield* zk.getData("/w", watcher)).data).toBe("0");
      expect(heard).toEqual(["NodeCreated /w", "NodeChildrenChanged /"]);
    });
    writer.run(function* (zk) {
      yield* zk.setData("/w", "1", -1);
      yield* zk.setData("/w", "2", -1);
    });
    watching.run(function* (zk) {
      yield* zk.sync("/");
      yield* zk.getData("/w", watcher);
      yield* zk.getChildren("/w", watcher);
      expect(heard.slice(2)).toEqual(["NodeDataChanged /w"]);
    });
    writer.run(function* (zk) {
      yield* zk.delete("/w", -1);
    });
    ensemble.run(1);
    // One deletion, one call of the same watcher [WAT-2].
    expect(heard.slice(3)).toEqual(["NodeDeleted /w"]);
  });

  it("never come after a read that shows the change [WAT-3]", () => {
    const { ensemble } = serving({ seed: "order" });
    const watching = connected(ensemble);
    const writer = connected(ensemble);
    let notified = 0;
    let violations = 0;
    writer.run(function* (zk) {
      yield* zk.create("/w", "", "persistent");
    });
    watching.run(function* (zk) {
      yield* zk.sync("/");
    });
    writer.spawn(function* (zk) {
      for (let i = 1; i <= 50; i++) yield* zk.setData("/w", String(i), -1);
    });
    watching.run(function* (zk) {
      for (;;) {
        const armedAt = (yield* zk.getData("/w", () => notified++)).stat?.version ?? 0;
        const before = notified;
        for (let version = armedAt; version === armedAt; ) {
          version = (yield* zk.getData("/w")).stat?.version ?? 0;
          if (version !== armedAt && notified === before) violations++;
          if (version === 50) return;
        }
      }
    });
    expect(violations).toBe(0);
    expect(notified).toBeGreaterThan(3);
  });

  it("are registered again after a reconnection, with what was missed [WAT-5]", () => {
    const { ensemble } = serving();
    const watching = connected(ensemble, undefined, 18_000);
    const writer = connected(ensemble, undefined, 18_000);
    const heard: string[] = [];
    const watcher = (event: WatchEvent) => heard.push(`${event.type} ${event.path}`);
    writer.run(function* (zk) {
      for (const path of ["/changed", "/same", "/deleted", "/parent"]) {
        yield* zk.create(path, "", "persistent");
      }
    });
    watching.run(function* (zk) {
      yield* zk.sync("/");
      for (const path of ["/changed", "/same", "/deleted"]) yield* zk.getData(path, watcher);
      yield* zk.exists("/created", watcher);
      yield* zk.exists("/aba", watcher);
      yield* zk.getChildren("/parent", watcher);
    });
    const heal = ensemble.partition(
      [watching.node.id],
      ensemble.servers.map(({ id }) => id),
    );
    writer.run(function* (zk) {
      yield* zk.setData("/changed", "1", -1);
      yield* zk.delete("/deleted", -1);
      yield* zk.create("/created", "", "persistent");
      yield* zk.create("/parent/child", "", "persistent");
      yield* zk.create("/aba", "", "persistent");
      yield* zk.delete("/aba", -1);
    });
    ensemble.run(13);
    heal();
    ensemble.run(8);
    expect(watching.states).toEqual(["connected", "disconnected", "connected"]);
    expect(heard.sort()).toEqual([
      "NodeChildrenChanged /parent",
      "NodeCreated /created",
      "NodeDataChanged /changed",
      "NodeDeleted /deleted",
    ]);
    writer.run(function* (zk) {
      yield* zk.setData("/same", "1", -1);
    });
    ensemble.run(1);
    expect(heard).toContain("NodeDataChanged /same");
  });
});
