// Where the numbers of edges are in the picture.

import type { Rect } from '../layout/plan';
import { labelRoom, paintLabel } from './edges';
import { readOf, titleRoom } from './nodes';
import type { Palette } from './palette';
import { candidates, roomFor, Taken } from './room';
import type { PlacedEdge, PlacedNode, Scene } from './scene';

type Context = CanvasRenderingContext2D;

/** Up to so many edges labels keep off all of them. */
const FEW = 80;

export interface Sight {
  scene: Scene;
  scale: number;
  palette: Palette;
  /** What of the scene is drawn; the worst edges last. */
  edges: readonly PlacedEdge[];
  nodes: readonly PlacedNode[];
}

/** Numbers keep their places for as long as the picture is the same, wherever it is moved. */
export class Labels {
  private places = new Map<string, Rect>();
  private of: Pick<Sight, 'scene' | 'scale'> | undefined;

  /** The edge has another way. */
  forget(id: string): void {
    this.places.delete(id);
  }

  clear(): void {
    this.places.clear();
  }

  paint(context: Context, sight: Sight): void {
    const { scene, scale, palette, edges } = sight;
    if (this.of?.scene !== scene || this.of.scale !== scale) {
      this.clear();
      this.of = { scene, scale };
    }
    const { read, seen } = takenBy(context, sight);
    for (const group of scene.groups) read.add(titleRoom(context, group, palette, scale));
    for (const { edge } of edges) {
      const known = this.places.get(edge.id);
      if (known) read.add(known);
    }
    const worstFirst = [...edges].reverse();
    for (const placed of worstFirst) {
      const { id } = placed.edge;
      let at = this.places.get(id);
      if (!at) {
        at = roomFor(labelRoom(context, placed, palette, scale), read, seen);
        if (!at) continue;
        read.add(at);
        this.places.set(id, at);
      }
      paintLabel(context, placed, palette, { scale, at });
    }
  }

  /** Over the picture, where they are in it, for one sees both; others where there is room. */
  paintAbove(context: Context, sight: Sight, chosen: PlacedEdge | undefined): void {
    const { scale, palette, edges } = sight;
    const { read, seen } = takenBy(context, sight);
    const worstFirst = [...edges].reverse();
    const chosenFirst = chosen ? [chosen, ...worstFirst.filter((placed) => placed !== chosen)] : worstFirst;
    for (const placed of chosenFirst) {
      const wanted = labelRoom(context, placed, palette, scale);
      const found = this.places.get(placed.edge.id) ?? roomFor(wanted, read, seen);
      // What is chosen is shown even where it lies on something.
      const at = found ?? (placed === chosen ? candidates(wanted)[0] : undefined);
      if (!at) continue;
      read.add(at);
      paintLabel(context, placed, palette, { scale, at });
    }
  }

  /** The numbers of one edge, on whatever they lie. */
  paintOne(context: Context, placed: PlacedEdge, { scale, palette }: Pick<Sight, 'scale' | 'palette'>): void {
    const at = this.places.get(placed.edge.id) ?? candidates(labelRoom(context, placed, palette, scale))[0];
    if (at) paintLabel(context, placed, palette, { scale, at });
  }
}

/** What labels may not lie on, and what they had better not lie on. */
function takenBy(context: Context, { nodes, edges, palette, scale }: Sight): { read: Taken; seen: Taken } {
  const [read, seen] = [new Taken(), new Taken()];
  for (const placed of nodes) {
    const { x, y, width, height } = placed;
    for (const rect of readOf(context, placed, palette, scale)) read.add(rect);
    seen.add({ x: x - width / 2, y: y - height / 2, width, height });
  }
  if (edges.length <= FEW) for (const { curve } of edges) seen.addWay(curve);
  return { read, seen };
}
