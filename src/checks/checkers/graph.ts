/**
 * A directed graph over small integers, its strongly connected components, and short cycles in
 * them. Everything is linear in nodes and edges, and nothing recurses: a component may be as long
 * as the history.
 */

export interface Edge {
  readonly from: number;
  readonly to: number;
  /** What the edge stands for; the graph does not look at it. */
  readonly label: number;
}

export class Digraph {
  readonly nodes: number;
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #label: number[] = [];
  /** Edges ordered by source: those of `n` are `#start[n]` to `#start[n + 1]` of `#ordered`. */
  #start = new Int32Array(0);
  #ordered = new Int32Array(0);

  constructor(nodes: number) {
    this.nodes = nodes;
  }

  link(from: number, to: number, label: number): void {
    this.#from.push(from);
    this.#to.push(to);
    this.#label.push(label);
  }

  /** Components in which a cycle runs, each ascending, ordered by their lowest node. */
  cyclicComponents(): number[][] {
    if (this.#from.length === 0) return [];
    this.#orderEdges();
    const found = this.#components().filter((component) => component.length > 1);
    for (const component of found) component.sort((a, b) => a - b);
    return found.sort((a, b) => a[0]! - b[0]!);
  }

  /**
   * Edges of a shortest way `from` -> ... -> `to` inside a component, at least one edge long, so
   * that equal ends give a cycle. Only after `cyclicComponents`.
   */
  shortestWay(component: ReadonlySet<number>, from: number, to: number): Edge[] {
    const reachedBy = new Map<number, number>();
    const queue = [from];
    for (let head = 0; head < queue.length && !reachedBy.has(to); head++) {
      const node = queue[head]!;
      for (let at = this.#start[node]!; at < this.#start[node + 1]!; at++) {
        const edge = this.#ordered[at]!;
        const next = this.#to[edge]!;
        if (!component.has(next) || reachedBy.has(next)) continue;
        reachedBy.set(next, edge);
        queue.push(next);
      }
    }
    const way: Edge[] = [];
    let node = to;
    do {
      const edge = reachedBy.get(node);
      if (edge === undefined) throw new Error(`no way from ${from} to ${to} in a component`);
      way.push(this.#edge(edge));
      node = this.#from[edge]!;
    } while (node !== from);
    return way.reverse();
  }

  /** First edge between two nodes of the component that satisfies the condition. */
  findEdge(component: ReadonlySet<number>, wanted: (label: number) => boolean): Edge | null {
    for (const node of component) {
      for (let at = this.#start[node]!; at < this.#start[node + 1]!; at++) {
        const edge = this.#ordered[at]!;
        if (component.has(this.#to[edge]!) && wanted(this.#label[edge]!)) return this.#edge(edge);
      }
    }
    return null;
  }

  #edge(edge: number): Edge {
    return { from: this.#from[edge]!, to: this.#to[edge]!, label: this.#label[edge]! };
  }

  /** A counting sort by source. */
  #orderEdges(): void {
    const start = new Int32Array(this.nodes + 1);
    for (const node of this.#from) start[node + 1]!++;
    for (let node = 0; node < this.nodes; node++) start[node + 1]! += start[node]!;
    const free = start.slice();
    this.#ordered = new Int32Array(this.#from.length);
    this.#from.forEach((node, edge) => {
      this.#ordered[free[node]!++] = edge;
    });
    this.#start = start;
  }

  /** Tarjan's algorithm, with an explicit stack of nodes and of the next edge of each. */
  #components(): number[][] {
    const number = new Int32Array(this.nodes);
    const lowest = new Int32Array(this.nodes);
    const open = new Uint8Array(this.nodes);
    const nextEdge = this.#start.slice();
    const path: number[] = [];
    const stack: number[] = [];
    const components: number[][] = [];
    let counter = 0;
    const enter = (node: number) => {
      number[node] = lowest[node] = ++counter;
      open[node] = 1;
      path.push(node);
      stack.push(node);
    };
    for (let root = 0; root < this.nodes; root++) {
      // A node without edges is no part of any cycle.
      if (number[root] !== 0 || this.#start[root] === this.#start[root + 1]) continue;
      enter(root);
      while (path.length > 0) {
        const node = path[path.length - 1]!;
        if (nextEdge[node]! < this.#start[node + 1]!) {
          const next = this.#to[this.#ordered[nextEdge[node]!++]!]!;
          if (number[next] === 0) enter(next);
          else if (open[next] === 1) lowest[node] = Math.min(lowest[node]!, number[next]!);
          continue;
        }
        path.pop();
        const parent = path[path.length - 1];
        if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!);
        if (lowest[node] !== number[node]) continue;
        const component: number[] = [];
        for (let member = -1; member !== node; ) {
          member = stack.pop()!;
          open[member] = 0;
          component.push(member);
        }
        components.push(component);
      }
    }
    return components;
  }
}
