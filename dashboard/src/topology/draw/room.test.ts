import { expect, test } from 'vitest';
import { direct, through } from './curve';
import { roomFor, Taken } from './room';

const box = (x: number, y: number) => ({ x, y, width: 100, height: 50 });
const flat = direct(box(0, 0), box(400, 0));
const wanted = { curve: flat, width: 60, height: 30, off: 3 };
const middle = 200;

test('numbers are above the middle of their edge, where nothing else is', () => {
  const found = roomFor(wanted, new Taken(), new Taken());
  expect((found?.x ?? 0) + 30).toBeCloseTo(middle, 0);
  expect((found?.y ?? 0) + 30).toBeLessThan(0);
});

test('they go below it, and then along it, where something has to be read', () => {
  const read = new Taken();
  read.add({ x: 100, y: -60, width: 200, height: 55 });
  const below = roomFor(wanted, read, new Taken());
  expect(below?.y).toBeGreaterThan(-7);
  read.add({ x: 165, y: -5, width: 70, height: 60 });
  const beside = roomFor(wanted, read, new Taken());
  expect(beside?.y).toBeGreaterThan(-7);
  expect(Math.abs((beside?.x ?? 0) + 30 - middle)).toBeGreaterThan(60);
});

test('they lie on another edge rather than on nothing at all', () => {
  const seen = new Taken();
  for (const y of [-20, 10])
    seen.addWay(
      through([
        { x: -500, y },
        { x: 900, y },
      ]),
    );
  expect(roomFor(wanted, new Taken(), seen)).toBeDefined();
  const read = new Taken();
  read.add({ x: -500, y: -100, width: 1500, height: 200 });
  expect(roomFor(wanted, read, seen)).toBeUndefined();
});

test('they stand beside an edge that goes up', () => {
  const upwards = through([
    { x: 0, y: 300 },
    { x: 0, y: 150 },
    { x: 0, y: 0 },
  ]);
  const found = roomFor({ ...wanted, curve: upwards }, new Taken(), new Taken());
  expect(Math.abs((found?.x ?? 0) + 30)).toBeCloseTo(33, 0);
});
