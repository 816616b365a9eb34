// @ts-check
// Where the nodes of a graph go: dagre's layered layout. It runs in a worker of the page (layoutworker.js).

/**
 * @param {any} dagre the module
 * @param {GraphWish} wish
 * @returns {GraphPlaces}
 */
export function arranged(dagre, { nodes, edges, direction }) {
  const graph = new dagre.Graph();
  graph.setGraph({ rankdir: direction, nodesep: 16, edgesep: 8, ranksep: direction === "TB" ? 26 : 132 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(nodes.map(({ id }) => id));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  const usable = edges.map(({ from, to }) => from !== to && known.has(from) && known.has(to));
  for (const { from, to } of edges.filter((_, at) => usable[at])) graph.setEdge(from, to);
  dagre.layout(graph);
  /** @type {[number, number][]} */
  const places = nodes.map(({ id }) => [graph.node(id).x, graph.node(id).y]);
  const lines = edges.map(({ from, to }, at) => usable[at] ? graph.edge(from, to).points.map(({ x, y }) => [x, y]) : null);
  const { width = 0, height = 0 } = graph.graph();
  return { places, lines, width, height };
}
