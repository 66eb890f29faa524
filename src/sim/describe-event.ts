/** The event that a queue gave out last, in words: for the comparison of two runs. */
import { type Endpoint, isControlPacket } from "./endpoint.ts";
import type { EventQueue } from "./event-queue.ts";
import { EventKind } from "./kernel.ts";
import type { ProcessContext } from "./process.ts";
import { formatTime } from "./time.ts";
import type { Timer } from "./timer.ts";

export function describeEvent(queue: EventQueue, nameOf: (node: number) => string): string {
  const at = formatTime(queue.time, 6);
  switch (queue.kind) {
    case EventKind.Timer:
      return `${at} timer at ${nameOf((queue.target as Timer).node)}`;
    case EventKind.Deliver: {
      const endpoint = queue.target as Endpoint;
      const names = `${nameOf(endpoint.peerNode)} -> ${nameOf(endpoint.node)}`;
      const type = isControlPacket(queue.data)
        ? queue.data.control
        : `${endpoint.service.name} ${endpoint.service.typeOf(queue.data)}`;
      return `${at} ${names} ${type} ${JSON.stringify(queue.data)}`;
    }
    case EventKind.Connection:
      return `${at} connection step ${queue.arg} at ${nameOf((queue.target as Endpoint).node)}`;
    case EventKind.Disk:
      return `${at} disk sync`;
    case EventKind.Gate:
      return `${at} backlog of ${(queue.target as ProcessContext).name}`;
    default:
      return `${at} event of kind ${queue.kind}`;
  }
}
