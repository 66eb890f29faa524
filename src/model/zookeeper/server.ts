/**
 * One server of a ZooKeeper ensemble: loads its disk, looks for a leader, leads or follows, and serves
 * the clients that connect to it. It knows only what messages and its own disk tell it.
 *
 * A server out of a quorum drops its clients and serves nothing [ZAB-33]. Left out: observers,
 * read-only mode, dynamic reconfiguration, ACLs and quotas.
 */
import {
  type Connection,
  DiskError,
  type Process,
  type ProcessContext,
  type ProcessFactory,
} from "../../sim/index.ts";
import type { Switches } from "../variants/registry.ts";
import { ClientConnection, type ClientRegistry } from "./client-connection.ts";
import { CLIENT_SERVICE, type ClientMessage } from "./client-messages.ts";
import type { ZooKeeperConfig } from "./config.ts";
import type { TxnResult } from "./data-tree.ts";
import { Database } from "./database.ts";
import type { PeerState } from "./election-messages.ts";
import type { EnsembleMember } from "./election-peers.ts";
import { FastLeaderElection } from "./fast-leader-election.ts";
import { Follower } from "./follower.ts";
import { Leader } from "./leader.ts";
import type { LocalClients, QuorumPeer, Role } from "./quorum-peer.ts";
import { stateFact } from "./state-fact.ts";
import type { TxnRecord } from "./txn-record.ts";
import { Watches } from "./watches.ts";

export interface ZooKeeperServerOptions {
  /** `myid`, from 1. */
  readonly id: number;
  /** All voting members, this one included. */
  readonly ensemble: readonly EnsembleMember[];
  readonly config: ZooKeeperConfig;
  readonly switches: Switches;
}

/** Session ids: server, incarnation and a counter; unique without a clock, exact below 2^53. */
const SERVER_SHARE = 0x100000000000;
const INCARNATION_SHARE = 0x400000;

/** The process of one server. */
export function zooKeeperServer(options: ZooKeeperServerOptions): ProcessFactory {
  return (context) => new ZooKeeperServer(context, options);
}

/** What runs; its getters are for questions from outside (targets of faults, reports). */
export class ZooKeeperServer implements Process, QuorumPeer, LocalClients, ClientRegistry {
  readonly context: ProcessContext;
  readonly id: number;
  readonly ensemble: readonly EnsembleMember[];
  readonly config: ZooKeeperConfig;
  readonly switches: Switches;
  readonly database: Database;
  watches = new Watches();
  readonly #election: FastLeaderElection;
  #role: Role | null = null;
  #snapshotNeeded = false;
  /** All connections of clients, and those that speak for a session. */
  readonly #connections = new Set<ClientConnection>();
  readonly #bySession = new Map<number, ClientConnection>();
  #sessionsCreated = 0;

  constructor(context: ProcessContext, options: ZooKeeperServerOptions) {
    this.context = context;
    this.id = options.id;
    this.ensemble = options.ensemble;
    this.config = options.config;
    this.switches = options.switches;
    this.database = new Database(context, options.id, options.config);
    this.#election = new FastLeaderElection(context, {
      ensemble: options.ensemble,
      self: options.id,
      config: options.config,
      ignoreZxid: options.switches["zookeeper-vote-ignores-zxid"],
      elected: (leader) => this.#elected(leader),
    });
    if (!this.database.load()) {
      context.exit();
      return;
    }
    context.listen(CLIENT_SERVICE, (connection) => this.#accept(connection));
    this.#look();
  }

  get state(): PeerState {
    return this.#role === null ? "LOOKING" : this.#role.state;
  }

  /** The role while it serves clients; null otherwise. */
  get role(): Role | null {
    return this.#role?.isServing ? this.#role : null;
  }

  get isServing(): boolean {
    return this.role !== null;
  }

  /** Epoch of the leader that this server leads as or follows; 0 while there is none. */
  get epoch(): number {
    return this.#role?.epoch ?? 0;
  }

  get clients(): LocalClients {
    return this;
  }

  get sessionCount(): number {
    return this.#bySession.size;
  }

  /** SIGTERM: nothing to hand over; sessions and log outlive the process. */
  shutdown(): void {
    this.context.exit();
  }

  // --- states ---------------------------------------------------------------------------------------

  #stateChanged(): void {
    stateFact(this.context, { kind: "ZkStateChanged", server: this.id, state: this.state });
  }

  look(): void {
    this.#role?.stop();
    this.#role = null;
    for (const connection of [...this.#connections]) connection.close();
    this.watches = new Watches();
    this.database.fastForward();
    this.#look();
  }

  #look(): void {
    this.#stateChanged();
    this.#election.look(this.database.lastLoggedZxid, this.database.currentEpoch);
  }

  #elected(leader: number): void {
    if (leader === this.id) this.#role = new Leader(this);
    else {
      const member = this.ensemble.find(({ id }) => id === leader) as EnsembleMember;
      this.#role = new Follower(this, member.node, this.#snapshotNeeded, () => {
        this.#snapshotNeeded = true;
      });
    }
    this.#stateChanged();
    try {
      this.#role.start();
    } catch (error) {
      this.failed(error);
    }
  }

  serving(epoch: number): void {
    this.#snapshotNeeded = false;
    this.#election.established(epoch);
  }

  halt(): void {
    this.context.exit();
  }

  failed(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    this.context.exit();
  }

  // --- clients --------------------------------------------------------------------------------------

  #accept(connection: Connection<ClientMessage>): ClientConnection | null {
    if (this.role === null) return null;
    const client = new ClientConnection(this, connection);
    this.#connections.add(client);
    return client;
  }

  newSessionId(): number {
    const { incarnation } = this.context;
    return this.id * SERVER_SHARE + incarnation * INCARNATION_SHARE + ++this.#sessionsCreated;
  }

  negotiate(timeoutMs: number): number {
    const { tickTime, minSessionTimeoutTicks, maxSessionTimeoutTicks } = this.config;
    const most = Math.min(timeoutMs, maxSessionTimeoutTicks * tickTime);
    return Math.max(most, minSessionTimeoutTicks * tickTime);
  }

  bind(session: number, connection: ClientConnection): void {
    const former = this.#bySession.get(session);
    if (former !== undefined && former !== connection) former.close();
    this.#bySession.set(session, connection);
  }

  forget(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.watches.drop(connection);
    if (this.#bySession.get(connection.session) === connection) {
      this.#bySession.delete(connection.session);
    }
  }

  applied(record: TxnRecord, result: TxnResult): void {
    const connection = this.#bySession.get(record.session);
    if (connection === undefined) return;
    connection.applied(record.cxid, record.zxid, result);
    if (record.txn.type === "closeSession") connection.close();
  }

  synced(session: number, cxid: number): void {
    this.#bySession.get(session)?.synced(cxid);
  }

  revalidated(session: number, valid: boolean): void {
    this.#bySession.get(session)?.revalidated(valid);
  }
}
