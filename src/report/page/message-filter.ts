/** Which messages of the window are shown, and how a message is told. */
import type { RecordedMessage, RecordedWindow } from "../recording/format.ts";
import type { Timeline } from "./timeline.ts";
import { duration } from "./words.ts";

export interface MessageFilter {
  /** Empty: every type. */
  readonly type: string;
  /** -1: every partition, and messages about none. */
  readonly partition: number;
  readonly heartbeats: boolean;
  /** Node numbers that are folded away. */
  readonly hidden: ReadonlySet<number>;
}

const HEARTBEATS = new Set(["ping", "pong", "ping.request"]);
/** The client's number of ZooKeeper's pings; replies carry it. */
const PING_CXID = -2;

/** Numbers of the messages that pass, in the order of sending. */
export function filterMessages(window: RecordedWindow, filter: MessageFilter): number[] {
  const passing: number[] = [];
  window.messages.forEach((message, i) => {
    if (passes(window, message, filter)) passing.push(i);
  });
  return passing;
}

function passes(window: RecordedWindow, message: RecordedMessage, filter: MessageFilter): boolean {
  const [, , from, to, type, partitions, body] = message;
  if (filter.hidden.has(from) || filter.hidden.has(to)) return false;
  const name = window.types[type] as string;
  if (filter.type !== "" && name !== filter.type) return false;
  if (filter.partition >= 0 && !partitions.includes(filter.partition)) return false;
  if (filter.heartbeats || filter.type !== "") return true;
  if (HEARTBEATS.has(name)) return false;
  return !(name === "reply" && (body as { cxid?: number }).cxid === PING_CXID);
}

/** One line: type, way and time on the way. */
export function messageWords(
  timeline: Timeline,
  window: RecordedWindow,
  message: RecordedMessage,
): string {
  const [sentAt, arrivedAt, from, to, type] = message;
  const name = (id: number) => timeline.nodes[id]?.name ?? String(id);
  const took = arrivedAt < 0 ? "never arrives" : `${duration(arrivedAt - sentAt)} on the way`;
  const about = message[5].map((p) => timeline.recording.partitions[p]).join(", ");
  return `${window.types[type]}  ${name(from)} → ${name(to)}${about === "" ? "" : `  ${about}`}  ${took}`;
}

/** Kinds of messages that share a colour. */
export type MessageClass = "produce" | "fetch" | "control" | "keeper" | "other";

export function classOf(type: string): MessageClass {
  if (type.startsWith("Produce")) return "produce";
  if (/^(Fetch|ListOffsets|OffsetForLeaderEpoch)\./.test(type)) return "fetch";
  if (/^(LeaderAndIsr|UpdateMetadata|StopReplica|AlterPartition|ControlledShutdown)/.test(type)) {
    return "control";
  }
  return /^[A-Z]/.test(type) ? "other" : "keeper";
}
