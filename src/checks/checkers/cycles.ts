/**
 * `G1c`, `G0` and `G1c-ww`: circles of ops, in which each op comes before the next for a reason.
 *
 * Two reasons are looked at: wr (the next op polled what this one sent) and ww (the next op's
 * value follows this one's in a log). Circles of wr alone are bad. Kafka does not isolate writes,
 * so circles with ww edges are normal; they are looked for only on request (CHECKS §1.5).
 *
 * One circle per group of mutually dependent ops, a shortest one through its first op. Left out:
 * rw edges and the order of real time, which Kafka does not promise either.
 */

import type { AnomalyName } from "./anomaly.ts";
import type { Evidence, FindingCollector } from "./findings.ts";
import { Digraph, type Edge } from "./graph.ts";

export function findReadCycles(evidence: Evidence, collector: FindingCollector): void {
  const graph = new Digraph(evidence.history.ops.length);
  linkReads(evidence, graph, { dropDeadEnds: true });
  reportCycles(evidence, collector, { graph, name: "G1c" });
}

export function findWriteCycles(evidence: Evidence, collector: FindingCollector): void {
  const nodes = evidence.history.ops.length;
  const writes = new Digraph(nodes);
  linkWrites(evidence, writes);
  reportCycles(evidence, collector, { graph: writes, name: "G0" });

  const both = new Digraph(nodes);
  linkWrites(evidence, both);
  linkReads(evidence, both, { dropDeadEnds: false });
  reportCycles(evidence, collector, { graph: both, name: "G1c-ww" });
}

/** A label names a row: of `reads` for a wr edge, of `sends` (the later one) for a ww edge. */
const readLabel = (row: number) => row * 2;
const writeLabel = (row: number) => row * 2 + 1;
const isRead = (label: number) => label % 2 === 0;
const rowOf = (label: number) => Math.floor(label / 2);

/**
 * Writer to reader, for values that must have committed. The reader's outcome does not matter:
 * polls are always safe, and an op whose sends did not commit leads nowhere.
 */
function linkReads(evidence: Evidence, graph: Digraph, options: { dropDeadEnds: boolean }): void {
  const { history, committed } = evidence;
  const { reads, sends, writerOf } = history;
  for (let row = 0; row < reads.op.length; row++) {
    const reader = reads.op[row]!;
    const writerRow = writerOf[reads.value[row]!]!;
    if (writerRow < 0 || committed[writerRow] !== 1) continue;
    const writer = sends.op[writerRow]!;
    if (writer === reader) continue;
    // In a circle of wr edges every op both polls and sends: most histories have no such op.
    const readerSends = sends.start[reader]! < sends.start[reader + 1]!;
    const writerReads = reads.start[writer]! < reads.start[writer + 1]!;
    if (options.dropDeadEnds && !(readerSends && writerReads)) continue;
    graph.link(writer, reader, readLabel(row));
  }
}

/** Writer to writer of the value that follows it, where both places are beyond doubt. */
function linkWrites(evidence: Evidence, graph: Digraph): void {
  const { history, committed, orders } = evidence;
  const { sends, writerOf } = history;
  for (let row = 0; row < sends.op.length; row++) {
    const order = orders.byKey[sends.key[row]!]!;
    const index = orders.sendIndex[row]!;
    if (index < 1 || committed[row] !== 1) continue;
    if (order.conflicts.has(index) || order.conflicts.has(index - 1)) continue;
    const earlierRow = writerOf[order.valueAt[index - 1]!]!;
    if (earlierRow < 0 || committed[earlierRow] !== 1) continue;
    if (orders.sendIndex[earlierRow] !== index - 1) continue;
    if (sends.op[earlierRow] === sends.op[row]) continue;
    graph.link(sends.op[earlierRow]!, sends.op[row]!, writeLabel(row));
  }
}

/** Steps of one circle told in a finding at most. */
const STEPS_AT_MOST = 16;

function reportCycles(
  evidence: Evidence,
  collector: FindingCollector,
  { graph, name }: { graph: Digraph; name: AnomalyName },
): void {
  for (const nodes of graph.cyclicComponents()) {
    const component = new Set(nodes);
    let cycle: Edge[];
    if (name === "G1c-ww") {
      const read = graph.findEdge(component, isRead);
      // Without a wr edge it is a G0, and without a ww edge a G1c: reported as that already.
      if (read === null) continue;
      cycle = [read, ...graph.shortestWay(component, read.to, read.from)];
      if (cycle.every((edge) => isRead(edge.label))) continue;
    } else {
      cycle = graph.shortestWay(component, nodes[0]!, nodes[0]!);
    }
    collector.report(name, () => describeCycle(evidence, cycle));
  }
}

function describeCycle({ history, orders }: Evidence, cycle: readonly Edge[]) {
  const { ops, reads, sends, keys, values } = history;
  const used: string[] = [];
  const offsets: number[] = [];
  // A broken cluster can tie all its ops into one circle.
  const shown = cycle.slice(0, STEPS_AT_MOST);
  const steps = shown.map((edge) => {
    const [from, to] = [ops.indexAt(edge.from), ops.indexAt(edge.to)];
    const row = rowOf(edge.label);
    if (isRead(edge.label)) {
      const value = values.textOf(reads.value[row]!);
      used.push(value);
      offsets.push(reads.offset[row]!);
      return `op ${from} sent "${value}" to ${keys[reads.key[row]!]}, which op ${to} polled`;
    }
    const order = orders.byKey[sends.key[row]!]!;
    const index = orders.sendIndex[row]!;
    const [earlier, later] = [
      values.textOf(order.valueAt[index - 1]!),
      values.textOf(sends.value[row]!),
    ];
    used.push(earlier, later);
    offsets.push(order.offsets[index - 1]!, order.offsets[index]!);
    return `op ${from} sent "${earlier}" to ${keys[sends.key[row]!]} before "${later}" of op ${to}`;
  });
  const first = cycle[0]!;
  const row = rowOf(first.label);
  return {
    key: keys[isRead(first.label) ? reads.key[row]! : sends.key[row]!]!,
    ops: shown.map((edge) => ops.indexAt(edge.from)),
    offsets,
    values: used,
    count: cycle.length,
    saw: `${steps.join("; ")}${shown.length < cycle.length ? "; ..." : ""}`,
  };
}
