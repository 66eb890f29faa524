/** The graph against the definition: nodes are in one component when each is reached by the other. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { Digraph } from "./graph.ts";

const NODES = 8;

const edges = fc.array(fc.tuple(fc.nat(NODES - 1), fc.nat(NODES - 1)), { maxLength: 16 });

function graphOf(pairs: readonly (readonly [number, number])[]): Digraph {
  const graph = new Digraph(NODES);
  pairs.forEach(([from, to], label) => {
    graph.link(from, to, label);
  });
  return graph;
}

/** By repeated widening: good enough for eight nodes. */
function reachable(pairs: readonly (readonly [number, number])[]): boolean[][] {
  const reach = Array.from({ length: NODES }, () => new Array<boolean>(NODES).fill(false));
  for (let round = 0; round < NODES; round++) {
    for (const [from, to] of pairs) {
      reach[from]![to] = true;
      for (let start = 0; start < NODES; start++) if (reach[start]![from]) reach[start]![to] = true;
    }
  }
  return reach;
}

it("components are the sets of nodes that reach each other", () => {
  fc.assert(
    fc.property(edges, (pairs) => {
      const reach = reachable(pairs);
      const expected: number[][] = [];
      for (let node = 0; node < NODES; node++) {
        const peers = reach.flatMap((row, peer) =>
          peer === node || (reach[node]![peer] && row[node]) ? [peer] : [],
        );
        if (peers.length > 1 && peers[0] === node) expected.push(peers);
      }
      expect(graphOf(pairs).cyclicComponents()).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

it("a way runs along edges of the component, from end to end", () => {
  fc.assert(
    fc.property(edges, (pairs) => {
      const graph = graphOf(pairs);
      for (const nodes of graph.cyclicComponents()) {
        const component = new Set(nodes);
        for (const from of nodes) {
          const way = graph.shortestWay(component, from, nodes[0]!);
          expect(way[0]!.from).toBe(from);
          expect(way[way.length - 1]!.to).toBe(nodes[0]);
          for (const [place, edge] of way.entries()) {
            expect(pairs[edge.label]).toEqual([edge.from, edge.to]);
            expect(component.has(edge.to)).toBe(true);
            if (place > 0) expect(edge.from).toBe(way[place - 1]!.to);
          }
          expect(way.length).toBeLessThanOrEqual(nodes.length);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
