// The picture of a topology. Two canvases lie over each other: all of it below, and what is looked at above. Both reach
// over the edge of what is seen, so that a drag of a large picture only shifts them.

import { LABELLED, type Point } from '../layout/plan';
import type { Laid } from '../layout/useLayout';
import { edgeId, type Graph, isNamespaceId } from '../model';
import { type Camera, centred, fitted, isSeen, panned, type Size, toWorld, zoomed } from './camera';
import { paintEdges, paintHalo } from './edges';
import { gestures } from './gestures';
import { Labels } from './labels';
import { paintGroup, paintNameTag, paintNode, paintTitle, ring } from './nodes';
import type { Palette } from './palette';
import { curveOf, hit, type PlacedEdge, type PlacedNode, type Scene, sceneOf } from './scene';

/** How far the canvases reach over each side, as a share of what is seen. */
const OVER = 0.35;
/** Up to so many edges all is drawn for every frame. */
const LIGHT = 250;
const CROWDED = 400;
const REST_MS = 140;
const DIM = '0.22';

export interface Events {
  select: (id: string | undefined) => void;
  toggle: (namespace: string) => void;
}

export class Picture {
  private scene: Scene | undefined;
  private graph: Graph | undefined;
  private laid: Laid | undefined;
  /** What is to be in the middle as soon as it has a place. */
  private called: string | undefined;
  private readonly moved = new Map<string, Point>();
  private camera: Camera = { x: 0, y: 0, scale: 1 };
  /** What the canvases were drawn for. */
  private drawn: Camera = this.camera;
  private size: Size = { width: 0, height: 0 };
  private isFitted = true;
  private frame = 0;
  private timer = 0;
  private drawnAt = 0;
  private readonly labels = new Labels();
  private isStale = false;
  private isAboveStale = false;
  private selected: string | undefined;
  private hovered: string | undefined;
  private found: ReadonlySet<string> = new Set();
  private grabbed: PlacedNode | undefined;
  private isDragging = false;
  private readonly observer: ResizeObserver;
  private readonly endGestures: () => void;

  constructor(
    private readonly host: HTMLElement,
    private readonly below: HTMLCanvasElement,
    private readonly above: HTMLCanvasElement,
    private palette: Palette,
    private readonly events: Events,
  ) {
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.endGestures = gestures(host, {
      grab: (at) => this.grab(at),
      drag: (_, dx, dy) => this.drag(dx, dy),
      drop: () => this.drop(),
      pan: (dx, dy) => this.look(panned(this.camera, dx, dy)),
      zoom: (factor, at) => this.look(zoomed(this.camera, factor, at)),
      click: (at) => this.click(at),
      hover: (at) => this.hover(at),
    });
  }

  destroy(): void {
    this.observer.disconnect();
    this.endGestures();
    cancelAnimationFrame(this.frame);
    window.clearTimeout(this.timer);
  }

  /**
   * What is drawn from now on. Where its places are new, what is called for is brought to the middle, or `anchor` stays
   * where it is on the screen; another view begins with all of it.
   */
  show(graph: Graph, { placement, scope }: Laid, anchor?: string): void {
    const before = anchor === undefined ? undefined : this.middle(anchor);
    const isNew = placement !== this.laid?.placement;
    const isOther = scope !== this.laid?.scope;
    if (isNew) this.moved.clear();
    this.graph = graph;
    this.laid = { placement, scope };
    this.scene = sceneOf(graph, placement, this.moved);
    const after = anchor === undefined ? undefined : this.middle(anchor);
    const called = this.called;
    if (called !== undefined && this.middle(called)) this.centre(called);
    else if (isNew && (this.isFitted || (isOther && !before))) this.fit();
    else if (isNew && before && after) {
      this.camera = { ...this.camera, x: this.camera.x + after.x - before.x, y: this.camera.y + after.y - before.y };
    }
    this.redraw();
  }

  paintWith(palette: Palette): void {
    this.palette = palette;
    this.redraw();
  }

  emphasise(selected: string | undefined, found: ReadonlySet<string>): void {
    this.selected = selected;
    this.found = found;
    this.isAboveStale = true;
    this.plan();
  }

  fit(): void {
    if (!this.scene) return;
    this.isFitted = true;
    this.camera = fitted(this.scene.bounds, this.size);
    this.redraw();
  }

  zoom(factor: number): void {
    this.look(zoomed(this.camera, factor, { x: this.size.width / 2, y: this.size.height / 2 }));
  }

  /** Brings a node in sight, if it is not. */
  reveal(id: string): void {
    const middle = this.middle(id);
    if (middle && !isSeen(this.camera, middle, this.size)) this.look(centred(this.camera, middle, this.size));
  }

  /** A node in the middle, large enough to be read; at once, or when it is there. */
  centre(id: string): void {
    const middle = this.middle(id);
    this.called = middle ? undefined : id;
    if (!middle) return;
    const scale = Math.max(this.camera.scale, 0.75);
    this.look(centred({ ...this.camera, scale }, middle, this.size));
  }

  get places(): Scene | undefined {
    return this.scene;
  }

  private middle(id: string): Point | undefined {
    const node = this.scene?.nodes.get(id);
    if (node) return node;
    const group = this.scene?.groups.find((one) => one.id === id);
    if (group) return { x: group.x + group.width / 2, y: group.y + group.height / 2 };
    return this.scene?.byId.get(id)?.curve.middle;
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === this.size.width && height === this.size.height) return;
    const middle = toWorld(this.camera, { x: this.size.width / 2, y: this.size.height / 2 });
    const isFirst = this.size.width === 0;
    this.size = { width, height };
    if (this.scene) {
      this.camera =
        this.isFitted || isFirst ? fitted(this.scene.bounds, this.size) : centred(this.camera, middle, this.size);
    }
    // At once, or the canvases would be empty for a frame.
    this.draw();
  }

  private look(camera: Camera): void {
    this.camera = camera;
    this.isFitted = false;
    if (this.isLight) this.redraw();
    else {
      this.plan();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.redraw(), REST_MS);
    }
  }

  private get isLight(): boolean {
    return !this.scene || this.scene.edges.length <= LIGHT;
  }

  private redraw(): void {
    this.isStale = true;
    this.plan();
  }

  private plan(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const now = performance.now();
    const isOut = !this.isCovered() && now - this.drawnAt > REST_MS;
    const hasNewSize = this.fitCanvas(this.below);
    this.fitCanvas(this.above);
    if (this.isStale || isOut || hasNewSize) {
      window.clearTimeout(this.timer);
      this.drawnAt = now;
      this.drawn = this.camera;
      this.isStale = false;
      this.isAboveStale = true;
      this.drawBelow();
    }
    if (this.isAboveStale) {
      this.isAboveStale = false;
      this.drawAbove();
    }
    this.shift();
  }

  private fitCanvas(canvas: HTMLCanvasElement): boolean {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.size.width * (1 + 2 * OVER), this.size.height * (1 + 2 * OVER)];
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width === across && canvas.height === down) return false;
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    return true;
  }

  /** Where the canvases begin, for what they were drawn for. */
  private corner(): Point {
    const { x, y, scale } = this.drawn;
    return { x: x - (OVER * this.size.width) / scale, y: y - (OVER * this.size.height) / scale };
  }

  private shift(): void {
    const corner = this.corner();
    const { x, y, scale } = this.camera;
    const by = scale / this.drawn.scale;
    const transform = `translate(${(corner.x - x) * scale}px, ${(corner.y - y) * scale}px) scale(${by})`;
    this.below.style.transform = transform;
    this.above.style.transform = transform;
  }

  private isCovered(): boolean {
    const corner = this.corner();
    const { x, y, scale } = this.camera;
    const { width, height } = this.size;
    const [wide, high] = [(width * (1 + 2 * OVER)) / this.drawn.scale, (height * (1 + 2 * OVER)) / this.drawn.scale];
    return (
      x >= corner.x && y >= corner.y && x + width / scale <= corner.x + wide && y + height / scale <= corner.y + high
    );
  }

  private begin(canvas: HTMLCanvasElement): CanvasRenderingContext2D | undefined {
    const context = canvas.getContext('2d');
    if (!context) return undefined;
    const ratio = window.devicePixelRatio || 1;
    const { scale } = this.drawn;
    const corner = this.corner();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, -corner.x * scale * ratio, -corner.y * scale * ratio);
    return context;
  }

  private inSight(scene: Scene): { nodes: PlacedNode[]; edges: PlacedEdge[] } {
    const corner = this.corner();
    const right = corner.x + (this.size.width * (1 + 2 * OVER)) / this.drawn.scale;
    const bottom = corner.y + (this.size.height * (1 + 2 * OVER)) / this.drawn.scale;
    return {
      nodes: [...scene.nodes.values()].filter(
        ({ x, y, width, height }) =>
          x + width > corner.x && x - width < right && y + height > corner.y && y - height < bottom,
      ),
      edges: scene.edges.filter(
        ({ curve: { bounds } }) =>
          bounds.x + bounds.width > corner.x &&
          bounds.x < right &&
          bounds.y + bounds.height > corner.y &&
          bounds.y < bottom,
      ),
    };
  }

  private drawBelow(): void {
    const { scene, palette } = this;
    const context = this.begin(this.below);
    if (!context || !scene || this.size.width === 0) return;
    const { scale } = this.drawn;
    const { nodes, edges } = this.inSight(scene);
    for (const group of scene.groups) paintGroup(context, group, palette, scale);
    paintEdges(context, edges, palette, { scale, isCrowded: edges.length > CROWDED });
    for (const placed of nodes) paintNode(context, placed, palette, scale);
    if (scale >= LABELLED && edges.length <= CROWDED)
      this.labels.paint(context, { scene, scale, palette, edges, nodes });
    else this.labels.clear();
    for (const group of scene.groups) paintTitle(context, group, palette, scale);
    if (scene.nodes.size > 0 && performance.getEntriesByName('topology-drawn').length === 0) {
      performance.mark('topology-drawn');
    }
  }

  /** What is looked at: a node with its neighbours, an edge with its ends, a namespace, or what was found. */
  private lookedAt(scene: Scene): { nodes: Set<string>; edges: Set<PlacedEdge> } | undefined {
    const nodes = new Set<string>();
    const edges = new Set<PlacedEdge>();
    const add = (id: string) => {
      nodes.add(id);
      for (const placed of scene.edgesOf.get(id) ?? []) {
        edges.add(placed);
        nodes.add(placed.edge.client).add(placed.edge.server);
      }
    };
    const dragged = this.isDragging ? this.grabbed?.node.id : undefined;
    const id = dragged ?? this.selected ?? this.hovered;
    const edge = id === undefined ? undefined : scene.byId.get(id);
    if (edge) {
      // A glance at an edge does not dim all others.
      if (id !== this.selected) return undefined;
      edges.add(edge);
      nodes.add(edge.edge.client).add(edge.edge.server);
      const back = scene.byId.get(edgeId(edge.edge.server, edge.edge.client));
      if (back) edges.add(back);
    } else if (id !== undefined && scene.nodes.has(id)) add(id);
    else if (id !== undefined && isNamespaceId(id)) {
      for (const { node } of scene.nodes.values()) if (node.namespace === id.slice(0, -1)) add(node.id);
    } else for (const found of this.found) if (scene.nodes.has(found)) nodes.add(found);
    return nodes.size > 0 ? { nodes, edges } : undefined;
  }

  private drawAbove(): void {
    const { scene, palette } = this;
    const context = this.begin(this.above);
    if (!context || !scene) return;
    const { scale } = this.drawn;
    const looked = this.lookedAt(scene);
    this.below.style.opacity = looked ? DIM : '';
    const pointed = scene.nodes.get(this.hovered ?? this.selected ?? '');
    const glanced = this.hovered === undefined ? undefined : scene.byId.get(this.hovered);
    if (looked) {
      const edges = scene.edges.filter((placed) => looked.edges.has(placed));
      const nodes = [...looked.nodes].flatMap((id) => scene.nodes.get(id) ?? []);
      const chosen = this.selected === undefined ? undefined : scene.byId.get(this.selected);
      if (chosen) paintHalo(context, chosen, palette, scale);
      paintEdges(context, edges, palette, { scale, isCrowded: false });
      for (const placed of nodes) {
        // Below the node, whose mark may hang over its border.
        if (placed.node.id === this.selected) ring(context, placed, palette, scale, false);
        else if (this.found.has(placed.node.id)) ring(context, placed, palette, scale, true);
        paintNode(context, placed, palette, scale);
      }
      const isLegible = scale >= LABELLED / 2 && edges.length <= CROWDED;
      if (isLegible) this.labels.paintAbove(context, { scene, scale, palette, edges, nodes }, chosen);
      else if (chosen) this.labels.paintOne(context, chosen, { scale, palette });
    }
    if (pointed) paintNameTag(context, pointed, palette, scale);
    if (glanced) {
      paintHalo(context, glanced, palette, scale);
      paintEdges(context, [glanced], palette, { scale, isCrowded: false });
      this.labels.paintOne(context, glanced, { scale, palette });
    }
  }

  private at(point: Point) {
    if (!this.scene) return undefined;
    const { x, y } = toWorld(this.camera, point);
    return hit(this.scene, x, y, this.camera.scale);
  }

  private click(point: Point): void {
    const found = this.at(point);
    if (!found) this.events.select(undefined);
    else if (isNamespaceId(found.id) && found.kind !== 'edge') this.events.toggle(found.id.slice(0, -1));
    else this.events.select(found.id);
  }

  private hover(point: Point | undefined): void {
    const found = point && this.at(point);
    this.host.style.cursor = found ? 'pointer' : '';
    if (found?.id === this.hovered) return;
    this.hovered = found?.id;
    this.isAboveStale = true;
    this.plan();
  }

  private grab(point: Point): boolean {
    const found = this.at(point);
    this.grabbed = found?.kind === 'node' ? this.scene?.nodes.get(found.id) : undefined;
    return this.grabbed !== undefined;
  }

  private drag(dx: number, dy: number): void {
    const { grabbed, scene, laid } = this;
    if (!grabbed || !scene || !laid) return;
    this.isDragging = true;
    grabbed.x += dx / this.camera.scale;
    grabbed.y += dy / this.camera.scale;
    this.moved.set(grabbed.node.id, { x: grabbed.x, y: grabbed.y });
    for (const placed of scene.edgesOf.get(grabbed.node.id) ?? []) {
      placed.curve = curveOf(placed.edge, scene, laid.placement, this.moved) ?? placed.curve;
      this.labels.forget(placed.edge.id);
    }
    if (this.isLight) this.isStale = true;
    this.isAboveStale = true;
    this.plan();
  }

  private drop(): void {
    this.grabbed = undefined;
    if (!this.isDragging) return;
    this.isDragging = false;
    if (this.graph && this.laid) this.scene = sceneOf(this.graph, this.laid.placement, this.moved);
    this.redraw();
  }
}
