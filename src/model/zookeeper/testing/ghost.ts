/**
 * The omniscient view of the tests: what was committed anywhere, and whether every server agrees.
 *
 * Knows only observations. Violations are collected as text, so that a test can ask for none, or,
 * with a variant, for some.
 */
import type { World } from "../../../sim/index.ts";
import type { ZooKeeperObservation } from "../observations.ts";
import { formatZxid } from "../txn.ts";

interface Committed {
  readonly zxid: number;
  readonly prefixHash: number;
}

export class Ghost {
  readonly violations: string[] = [];
  /** By index - 1: the one committed history. */
  readonly committed: Committed[] = [];
  /** Index that each server has reached, by its statements. */
  readonly #reached = new Map<number, number>();
  readonly #leaderOfEpoch = new Map<number, number>();
  readonly #zxidOfSession = new Map<number, number>();

  constructor(world: World) {
    world.observers.onAny((fact, _node, _at) => this.#judge(fact as ZooKeeperObservation));
  }

  #judge(fact: ZooKeeperObservation): void {
    switch (fact.kind) {
      case "ZkApplied": {
        const { server, zxid, index, prefixHash } = fact;
        const expected = (this.#reached.get(server) ?? 0) + 1;
        if (index !== expected)
          this.#violated(`order: ${server} applied ${index}, not ${expected}`);
        this.#reached.set(server, index);
        const known = this.committed[index - 1];
        if (known === undefined) {
          if (index !== this.committed.length + 1) this.#violated(`gap before ${index}`);
          this.committed[index - 1] = { zxid, prefixHash };
        } else if (known.zxid !== zxid || known.prefixHash !== prefixHash) {
          this.#violated(`prefix: ${server} has ${formatZxid(zxid)} at ${index}`);
        }
        return;
      }
      case "ZkSnapshotInstalled": {
        this.#reached.set(fact.server, fact.index);
        const known = this.committed[fact.index - 1];
        // May run ahead of what is committed: the history of a leader that does not serve yet.
        if (known !== undefined && known.prefixHash !== fact.prefixHash) {
          this.#violated(`snapshot of ${fact.server} from ${fact.source} is another history`);
        }
        return;
      }
      case "ZkTruncated":
        if (this.committed.some(({ zxid }) => zxid > fact.to)) {
          const lost = this.committed.filter(({ zxid }) => zxid > fact.to).at(-1);
          const index = this.committed.indexOf(lost as Committed) + 1;
          if ((this.#reached.get(fact.server) ?? 0) >= index) this.#violated("truncated committed");
        }
        return;
      case "ZkEpochEstablished": {
        const former = this.#leaderOfEpoch.get(fact.epoch);
        if (former !== undefined)
          this.#violated(`epoch ${fact.epoch} has leaders ${former}, ${fact.server}`);
        this.#leaderOfEpoch.set(fact.epoch, fact.server);
        return;
      }
      case "ZkLeaderServing": {
        const last = this.committed.at(-1);
        if (last !== undefined && last.zxid > fact.lastZxid) {
          this.#violated(`leader ${fact.server} lacks ${formatZxid(last.zxid)}`);
        }
        return;
      }
      case "ZkClientAnswer": {
        const seen = this.#zxidOfSession.get(fact.session) ?? 0;
        if (fact.zxid < seen) this.#violated(`session ${fact.session} went back`);
        else this.#zxidOfSession.set(fact.session, fact.zxid);
        return;
      }
      case "ZkSessionExpiring":
        if (fact.sinceTouchMs < fact.timeoutMs) this.#violated("expired early");
        return;
      default:
        return;
    }
  }

  /** The process of a server has started anew without anything on its disk. */
  restarted(server: number): void {
    this.#reached.delete(server);
  }

  #violated(what: string): void {
    this.violations.push(what);
  }
}
