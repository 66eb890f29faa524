/** The full log: every observation of every node as one readable line. */
import type { Fault } from "../faults/plan.ts";
import { formatFault } from "../faults/written.ts";
import type { RecordBatch } from "../model/kafka/protocol/records.ts";
import { formatZxid, type Txn } from "../model/zookeeper/txn.ts";
import type { Observation } from "../sim/index.ts";
import { logTime, type Phased } from "./short-log.ts";

const KIND_WIDTH = 20;
const TEXT_MAX = 120;

/** Listens to the world of the trial from now on. */
export function attachFullLog(trial: Phased, write: (line: string) => void): void {
  let phases = 0;
  trial.world.observers.onAny((observation, node, at) => {
    while (phases < trial.phases.length) {
      write(`${" ".repeat(12)}---- ${trial.phases[phases++]?.name} ends ----`);
    }
    const name = trial.world.node(node).name.padEnd(5);
    write(`${logTime(at)} ${name} ${formatObservation(observation)}`);
  });
}

/** `BecameLeader         orders-0 leaderEpoch=1 isr=1,2 ...`. */
export function formatObservation(observation: Observation): string {
  const parts: string[] = [];
  const fields = observation as unknown as { readonly [name: string]: unknown };
  if (typeof fields["topic"] === "string") parts.push(`${fields["topic"]}-${fields["partition"]}`);
  for (const [name, value] of Object.entries(fields)) {
    if (name === "kind" || name === "topic" || name === "partition") continue;
    // Whose fact it is says the column of the node.
    if (name === "broker" || name === "server") continue;
    parts.push(formatField(name, value));
  }
  return `${observation.kind.padEnd(KIND_WIDTH)} ${parts.join(" ")}`.trimEnd();
}

function formatField(name: string, value: unknown): string {
  switch (name) {
    case "fault":
      return formatFault(value as Fault);
    case "batch":
      return formatBatch(value as RecordBatch);
    case "txn":
      return formatTxn(value as Txn);
    case "zxid":
    case "lastZxid":
      return `${name}=${formatZxid(value as number)}`;
    case "session":
      return `session=0x${(value as number).toString(16)}`;
    case "prefixHash":
    case "prefixHashBefore":
      return `${name}=${((value as number) >>> 0).toString(16).padStart(8, "0")}`;
    case "records":
      return `records=${(value as readonly unknown[]).length}`;
    default:
      return `${name}=${shown(value)}`;
  }
}

function shown(value: unknown): string {
  if (typeof value === "string")
    return clipped(/^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value));
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return value.join(",");
  if (typeof value === "object" && value !== null) return clipped(JSON.stringify(value));
  return String(value);
}

function clipped(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 3)}...` : text;
}

function formatBatch(batch: RecordBatch): string {
  const last = batch.baseOffset + batch.lastOffsetDelta;
  const producer = batch.producerId < 0 ? "" : ` pid ${batch.producerId} seq ${batch.baseSequence}`;
  return `batch=[${batch.baseOffset}..${last} e${batch.partitionLeaderEpoch}${producer}]`;
}

function formatTxn(txn: Txn): string {
  switch (txn.type) {
    case "create":
      return `create ${txn.path} ${clipped(txn.data)}${txn.ephemeralOwner === 0 ? "" : " (ephemeral)"}`;
    case "setData":
      return `setData ${txn.path} v${txn.version} ${clipped(txn.data)}`;
    case "delete":
      return `delete ${txn.path}`;
    case "check":
      return `check ${txn.path} v${txn.version}`;
    case "multi":
      return `multi[${txn.txns.map(formatTxn).join("; ")}]`;
    case "closeSession":
      return `closeSession 0x${txn.session.toString(16)} ${txn.paths.join(" ")}`.trimEnd();
    case "createSession":
      return `createSession 0x${txn.session.toString(16)} ${txn.timeoutMs} ms`;
    default:
      return `error ${txn.code}`;
  }
}
