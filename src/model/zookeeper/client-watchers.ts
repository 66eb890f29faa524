/**
 * The client's own table of watchers: who wanted to hear of which path.
 *
 * A watcher is registered when the answer to its read arrives, and removed when its event does [WAT-1].
 * The table outlives connections: after a reconnection the server is told of it [WAT-5].
 */
import type { WatchEvent, Watcher } from "./client-api.ts";

export type WatchKind = "data" | "exist" | "child";

type Table = Map<string, Set<Watcher>>;

export class ClientWatchers {
  readonly #tables: { readonly [K in WatchKind]: Table } = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
  };

  add(kind: WatchKind, path: string, watcher: Watcher): void {
    const table = this.#tables[kind];
    const watchers = table.get(path);
    if (watchers === undefined) table.set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  paths(kind: WatchKind): readonly string[] {
    return [...this.#tables[kind].keys()];
  }

  get isEmpty(): boolean {
    const { data, exist, child } = this.#tables;
    return data.size === 0 && exist.size === 0 && child.size === 0;
  }

  /** Removes the watchers that `event` is for and calls each of them once. */
  deliver(event: WatchEvent): void {
    const { data, exist, child } = this.#tables;
    const called = new Set<Watcher>();
    const tables =
      event.type === "NodeChildrenChanged"
        ? [child]
        : event.type === "NodeDeleted"
          ? [data, exist, child]
          : [data, exist];
    for (const table of tables) {
      const watchers = table.get(event.path);
      if (watchers === undefined) continue;
      table.delete(event.path);
      for (const watcher of watchers) called.add(watcher);
    }
    for (const watcher of called) watcher(event);
  }

  clear(): void {
    this.#tables.data.clear();
    this.#tables.exist.clear();
    this.#tables.child.clear();
  }
}
