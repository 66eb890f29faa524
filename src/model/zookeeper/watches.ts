/**
 * The one-shot watches that the clients of one server have left [WAT-1].
 *
 * A table per kind: data watches (getData, exists) and child watches (getChildren). Triggering removes
 * the watch first, so a watcher hears of a path once per registration. Lost with the connection.
 */
import type { WatchEvent } from "./client-api.ts";
import type { ChangeListener } from "./data-tree.ts";

/** A connection of a client, as the watch tables see it. */
export interface WatchHolder {
  notify(event: WatchEvent): void;
}

class WatchTable {
  readonly #byPath = new Map<string, Set<WatchHolder>>();
  readonly #byHolder = new Map<WatchHolder, Set<string>>();

  add(path: string, holder: WatchHolder): void {
    const holders = this.#byPath.get(path);
    if (holders === undefined) this.#byPath.set(path, new Set([holder]));
    else holders.add(holder);
    const paths = this.#byHolder.get(holder);
    if (paths === undefined) this.#byHolder.set(holder, new Set([path]));
    else paths.add(path);
  }

  /** Removes and returns the holders of watches on `path`, in order of registration. */
  take(path: string): Set<WatchHolder> | null {
    const holders = this.#byPath.get(path);
    if (holders === undefined) return null;
    this.#byPath.delete(path);
    for (const holder of holders) {
      const paths = this.#byHolder.get(holder);
      paths?.delete(path);
      if (paths?.size === 0) this.#byHolder.delete(holder);
    }
    return holders;
  }

  drop(holder: WatchHolder): void {
    const paths = this.#byHolder.get(holder);
    if (paths === undefined) return;
    this.#byHolder.delete(holder);
    for (const path of paths) {
      const holders = this.#byPath.get(path);
      holders?.delete(holder);
      if (holders?.size === 0) this.#byPath.delete(path);
    }
  }

  get size(): number {
    return this.#byPath.size;
  }
}

export class Watches implements ChangeListener {
  readonly #data = new WatchTable();
  readonly #child = new WatchTable();

  /** Paths that are watched; for tests. */
  get size(): number {
    return this.#data.size + this.#child.size;
  }

  watchData(path: string, holder: WatchHolder): void {
    this.#data.add(path, holder);
  }

  watchChildren(path: string, holder: WatchHolder): void {
    this.#child.add(path, holder);
  }

  drop(holder: WatchHolder): void {
    this.#data.drop(holder);
    this.#child.drop(holder);
  }

  /** Tells the holders in the turn of the change, hence before any later answer [WAT-3]. */
  changed(type: WatchEvent["type"], path: string): void {
    const children = type === "NodeChildrenChanged" || type === "NodeDeleted";
    const data = type === "NodeChildrenChanged" ? null : this.#data.take(path);
    const child = children ? this.#child.take(path) : null;
    if (data === null && child === null) return;
    const event: WatchEvent = { type, path };
    if (data !== null) for (const holder of data) holder.notify(event);
    if (child !== null) {
      // A deletion that meets both watches of one client is one event [WAT-2].
      for (const holder of child) if (data === null || !data.has(holder)) holder.notify(event);
    }
  }
}
