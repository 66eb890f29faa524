/**
 * EphemeralLifetime and SessionLifetime: an ephemeral znode lives exactly as long as its session
 * [SES-3, SES-8], and a session at least as long as its time-out after the last touch [SES-2].
 *
 * The ghost of ephemerals is built from committed transactions. Once a commit was missed, nothing is
 * said about znodes that it may have created.
 */
import type { ZooKeeperObservation } from "../../model/zookeeper/observations.ts";
import type { Txn } from "../../model/zookeeper/txn.ts";
import type { Micros } from "../../sim/index.ts";
import type { CheckContext } from "./check.ts";
import { eachZnodeWrite } from "./znodes.ts";

type Expiring = Extract<ZooKeeperObservation, { kind: "ZkSessionExpiring" }>;

export function watchZooKeeperSessions(context: CheckContext): void {
  const { observers, zooKeeper } = context;
  const ephemeral = context.check("EphemeralLifetime");
  const lifetime = context.check("SessionLifetime");
  const closed = new Set<number>();
  /** Owner of each ephemeral, and the other way round. */
  const owners = new Map<string, number>();
  const owned = new Map<number, Set<string>>();
  /** Ephemerals that vanished with their session, until something else is known of the path. */
  const vanished = new Map<string, number>();

  observers.on<Expiring>("ZkSessionExpiring", (o, _node, at) => {
    lifetime.evaluated++;
    if (o.sinceTouchMs >= o.timeoutMs) return;
    const saw =
      `server ${o.server} expires session ${sessionText(o.session)} ${o.sinceTouchMs} ms after ` +
      `its last touch; its time-out is ${o.timeoutMs} ms`;
    lifetime.fail(at, saw, { brokers: [o.server] });
  });
  zooKeeper.onCommitted((txn, _zxid, at) => {
    if (txn.type === "closeSession") judgeClose(txn.session, txn.paths, at);
    if (txn.type === "createSession") closed.delete(txn.session);
    follow(txn, at);
  });

  function judgeClose(session: number, paths: readonly string[], at: Micros): void {
    ephemeral.evaluated++;
    closed.add(session);
    for (const path of owned.get(session) ?? []) {
      if (paths.includes(path)) continue;
      const saw = `session ${sessionText(session)} was closed and ${path}, which it owns, was kept`;
      ephemeral.fail(at, saw);
    }
    if (zooKeeper.gaps > 0) return;
    for (const path of paths) {
      if (owners.get(path) === session) continue;
      const saw = `the end of session ${sessionText(session)} deleted ${path}, not its own`;
      ephemeral.fail(at, saw);
    }
  }

  function follow(txn: Txn, at: Micros): void {
    eachZnodeWrite(txn, (write) => {
      const { path } = write;
      if (write.op === "setData") {
        outlived(path, at);
        return;
      }
      if (write.op === "delete") {
        if (write.session === null) outlived(path, at);
        else if (owners.has(path)) vanished.set(path, write.session);
        forget(path);
        return;
      }
      vanished.delete(path);
      if (write.ephemeralOwner === 0) return;
      ephemeral.evaluated++;
      const owner = write.ephemeralOwner;
      if (closed.has(owner)) {
        const saw = `${path} was created for session ${sessionText(owner)}, which was closed before`;
        ephemeral.fail(at, saw);
      }
      owners.set(path, owner);
      const paths = owned.get(owner) ?? new Set();
      owned.set(owner, paths.add(path));
    });
  }

  /** A write of a znode that went with its session proves that it did not. */
  function outlived(path: string, at: Micros): void {
    const session = vanished.get(path);
    if (session === undefined) return;
    vanished.delete(path);
    ephemeral.fail(at, `${path} was written after the end of session ${sessionText(session)}`);
  }

  function forget(path: string): void {
    const owner = owners.get(path);
    if (owner === undefined) return;
    owners.delete(path);
    owned.get(owner)?.delete(path);
  }
}

function sessionText(session: number): string {
  return `0x${session.toString(16)}`;
}
