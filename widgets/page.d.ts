// What the page's modules hand to each other, for `make check`: read by the type checker alone, sent to no browser.

/** Described by `h` in dom.js. */
interface VNode {
  tag: string;
  props: Record<string, any>;
  key?: unknown;
  children?: VNode[];
  text?: string;
}

/** A described node and what was made of it. */
interface Entry {
  vnode: VNode;
  node: any;
  fresh?: boolean;
}

/** An element whose content dom.js has made. */
interface Host extends Element {
  __workbench?: Entry[];
}

type Child = VNode | string | number | boolean | null | undefined | Child[];

/** A widget's model, as Jupyter's front ends give it. */
interface Model {
  get(name: string): any;
  on(event: string, listener: (...values: any[]) => void): void;
  off(event: string, listener: (...values: any[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  widget_manager?: any;
}

/** Files of the page, see assets.js. */
interface Assets {
  url(name: string): Promise<string>;
  load(name: string): Promise<any>;
  style(name: string): Promise<void>;
  plotly(): Promise<Plotly>;
}

/** One component on the page. */
interface View {
  model: Model;
  el: HTMLElement;
  assets: Assets;
  /** What only this page knows: what is unfolded, what was typed. */
  local: any;
  /** Whether nobody answers any more. */
  lost: boolean;
  /** What the kernel says, from `view()` of the component in Python. */
  readonly state: any;
  /** Words of the language that is shown. */
  readonly labels: Record<string, string>;
  /** Asks the kernel for what `act_NAME` of the component does. */
  act(name: string, values?: Record<string, unknown>, buffers?: ArrayBuffer[]): void;
  redraw(): void;
  /** Takes messages that are no state, such as parts of a file. */
  receive?: (message: any, buffers: ArrayBuffer[]) => void;
}

/** A verdict in few words. */
interface Chip {
  words: string;
  tone: string;
}

interface Plotly {
  react(node: PlotNode, data: any[], layout: any, config: any): Promise<unknown>;
  relayout(node: PlotNode, changes: any): Promise<unknown>;
  toImage(figure: any, options: any): Promise<string>;
  purge(node: PlotNode): void;
}

/** Where plotly draws, with what chart.js keeps there. */
interface PlotNode extends HTMLElement {
  data?: any[];
  layout?: any;
  on?: (event: string, listener: (event: any) => void) => void;
  _fullLayout?: any;
  __assets: Assets;
  __wanted: any;
  /** It changes by itself while something runs: it is drawn seldom enough to cost little. */
  __calm?: boolean;
  /** When it was last drawn, and how long that took, in milliseconds. */
  __drawnAt?: number;
  __cost?: number;
  __click?: (point: any) => void;
  __observer?: ResizeObserver;
  __width?: number;
  __theme?: string;
  __drawing?: boolean;
  __again?: boolean;
  __listening?: boolean;
}

declare var Plotly: Plotly | undefined;
declare var workbenchBroken: ((why: string) => void) | undefined;
/** Whether the page's text has come to its end, and whether the kernel broke on the way. */
declare var workbenchComplete: boolean | undefined;
declare var workbenchFailed: boolean | undefined;
/** Jupyter's own application, once it runs. */
declare var jupyterapp: unknown;

/** What a graph is laid out from: see arranging.js. */
interface GraphWish {
  direction: "TB" | "LR";
  nodes: { id: string; width: number; height: number }[];
  edges: { from: string; to: string }[];
}

/** Where dagre puts the centres of the nodes and the bends of the edges, in the order of the wish. */
interface GraphPlaces {
  places: [number, number][];
  lines: ([number, number][] | null)[];
  width: number;
  height: number;
}

interface GraphNode {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** What is written in it; the first line is its title. */
  lines: string[];
  /** Of the lines, what they say: good, bad. */
  tones?: string[];
  /** All that is known of it, for those who hear it. */
  name: string;
  kind: string;
  /** The colour, as a class without its "wb-". */
  paint: string;
  marked: boolean;
}

/** What canvas.js draws. */
interface GraphScene {
  /** Another one is drawn anew; the same with other words and colours is changed. */
  key: string;
  width: number;
  height: number;
  heads: { x: number; y: number; text: string }[];
  nodes: GraphNode[];
  edges: { from: string; to: string; words: string; label?: string; kind: string; points: [number, number][] }[];
}
