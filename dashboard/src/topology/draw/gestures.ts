// Dragging, pinching, clicking, and the wheel.

import type { Point } from '../layout/plan';

export interface Acts {
  /** Whether what is here is dragged by itself; else the whole picture is. */
  grab: (at: Point) => boolean;
  drag: (at: Point, dx: number, dy: number) => void;
  drop: () => void;
  pan: (dx: number, dy: number) => void;
  zoom: (factor: number, at: Point) => void;
  click: (at: Point) => void;
  hover: (at: Point | undefined) => void;
}

/** A hand that clicks is not quite still. */
const STILL = 4;

/** Until what is returned is called. */
export function gestures(host: HTMLElement, acts: Acts): () => void {
  const pressed = new Map<number, Point>();
  let start: Point = { x: 0, y: 0 };
  let isMoving = false;
  let isGrabbed = false;
  const abort = new AbortController();
  const { signal } = abort;
  const place = (event: PointerEvent | WheelEvent): Point => {
    const { left, top } = host.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const spread = () => {
    const [a, b] = [...pressed.values()];
    return a && b ? { size: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : undefined;
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const at = place(event);
    pressed.set(event.pointerId, at);
    if (pressed.size > 1) {
      isMoving = true;
      if (isGrabbed) acts.drop();
      isGrabbed = false;
      return;
    }
    start = at;
    isMoving = false;
    isGrabbed = acts.grab(at);
  };
  const move = (event: PointerEvent) => {
    const at = place(event);
    const before = pressed.get(event.pointerId);
    if (!before) {
      acts.hover(at);
      return;
    }
    if (!isMoving && Math.hypot(at.x - start.x, at.y - start.y) < STILL) return;
    if (!isMoving) host.setPointerCapture(event.pointerId);
    isMoving = true;
    const [dx, dy] = [at.x - before.x, at.y - before.y];
    const was = spread();
    pressed.set(event.pointerId, at);
    const is = spread();
    if (was && is) {
      acts.pan(is.x - was.x, is.y - was.y);
      if (was.size > 0) acts.zoom(is.size / was.size, is);
    } else if (isGrabbed) acts.drag(at, dx, dy);
    else acts.pan(dx, dy);
  };
  const up = (event: PointerEvent) => {
    if (!pressed.delete(event.pointerId)) return;
    if (isGrabbed) acts.drop();
    if (!isMoving && event.type === 'pointerup') acts.click(place(event));
    isGrabbed = false;
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touchpad comes as a wheel with the control key, in small steps.
    const step = event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018);
    acts.zoom(Math.exp(-Math.max(-0.6, Math.min(0.6, step))), place(event));
  };

  host.addEventListener('pointerdown', down, { signal });
  host.addEventListener('pointermove', move, { signal });
  host.addEventListener('pointerup', up, { signal });
  host.addEventListener('pointercancel', up, { signal });
  host.addEventListener('pointerleave', () => acts.hover(undefined), { signal });
  host.addEventListener('wheel', wheel, { signal, passive: false });
  return () => abort.abort();
}
