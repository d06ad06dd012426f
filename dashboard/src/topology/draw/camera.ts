// What part of the plane is seen.

import type { Point, Rect } from '../layout/plan';

/** What is at the upper left of the screen, and how large. */
export interface Camera extends Point {
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const LEAST = 0.04;
const MOST = 3;
/** Small graphs are not blown up to fill the screen. */
const MOST_FITTED = 1.15;
const SPACE = 18;
/** Below the picture are the buttons. */
const BUTTONS = 34;

export function fitted(bounds: Rect, { width, height }: Size): Camera {
  const across = (width - 2 * SPACE) / Math.max(bounds.width, 1);
  const down = (height - 2 * SPACE - BUTTONS) / Math.max(bounds.height, 1);
  const scale = Math.min(Math.max(Math.min(across, down, MOST_FITTED), LEAST), MOST);
  return {
    scale,
    x: bounds.x + bounds.width / 2 - width / 2 / scale,
    y: bounds.y + bounds.height / 2 - (height - BUTTONS) / 2 / scale,
  };
}

/** Larger or smaller; what is at this place of the screen stays there. */
export function zoomed(camera: Camera, factor: number, at: Point): Camera {
  const scale = Math.min(Math.max(camera.scale * factor, LEAST), MOST);
  return {
    scale,
    x: camera.x + at.x / camera.scale - at.x / scale,
    y: camera.y + at.y / camera.scale - at.y / scale,
  };
}

export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

export function toWorld(camera: Camera, { x, y }: Point): Point {
  return { x: camera.x + x / camera.scale, y: camera.y + y / camera.scale };
}

/** With this point in the middle. */
export function centred(camera: Camera, { x, y }: Point, { width, height }: Size): Camera {
  return { ...camera, x: x - width / 2 / camera.scale, y: y - height / 2 / camera.scale };
}

/** Whether it is on the screen, not at its very edge. */
export function isSeen(camera: Camera, { x, y }: Point, { width, height }: Size): boolean {
  const [left, top] = [(x - camera.x) * camera.scale, (y - camera.y) * camera.scale];
  return left > 60 && top > 40 && left < width - 60 && top < height - 40;
}
