// How the topology of a large mesh and the page of a large trace behave in a real browser: `make bench-ui`. Ends with 1
// when a bound is broken.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serve, TRACE } from './server.js';

const SIZE = { workloads: 1000, namespaces: 25, edges: 5000 };
const FIRST_PICTURE_MS = 1000;
const SCRIPT_MS = 12;
const FRAMES = 120;
const RUNS = 3;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const DRAWN = 'topology-drawn';

/** @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @param {import('playwright-core').Page} page @param {string} url */
async function firstPicture(page, url) {
  await page.goto(url);
  await page.waitForFunction((name) => performance.getEntriesByName(name).length > 0, DRAWN, { polling: 20 });
  return page.evaluate((name) => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN, DRAWN);
}

/**
 * Milliseconds of script, and of all work of the page's thread, for each frame in which something is done.
 *
 * @param {import('playwright-core').Page} page
 * @param {(frame: number) => Promise<unknown>} act
 */
async function frames(page, act) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'timeTicks' });
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (/** @type {string} */ name) => (metrics.find((one) => one.name === name)?.value ?? 0) * 1000;
    return { script: of('ScriptDuration'), task: of('TaskDuration') };
  };
  const script = [];
  const task = [];
  let before = await read();
  for (let frame = 0; frame < FRAMES; frame++) {
    await act(frame);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0))));
    const after = await read();
    script.push(after.script - before.script);
    task.push(after.task - before.task);
    before = after;
  }
  return { script, task };
}

/**
 * A drag that goes back and forth.
 *
 * @param {import('playwright-core').Page} page
 * @param {{ x: number, y: number }} from
 */
async function drag(page, from) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  const figures = await frames(page, (frame) => {
    const turn = (frame / FRAMES) * Math.PI * 4;
    return page.mouse.move(from.x + Math.sin(turn) * 420, from.y + Math.sin(turn * 1.5) * 200);
  });
  await page.mouse.move(from.x, from.y);
  await page.mouse.up();
  return figures;
}

/** Half of the rows in sight, down, in each frame. */
async function scroll(page) {
  const rows = page.locator('.waterfall .rows');
  return frames(page, () => rows.evaluate((element) => element.scrollBy({ top: element.clientHeight / 2 })));
}

const picture = (/** @type {import('playwright-core').Page} */ page) => page.locator('.topo-canvas');
const shift = (/** @type {import('playwright-core').Page} */ page) =>
  picture(page).evaluate((host) => host.querySelector('canvas')?.style.transform);

/** Until the picture, which is drawn anew after a drag, does not change any more. */
async function settled(page) {
  let before;
  let now = await shift(page);
  while (before !== now) {
    await page.waitForTimeout(500);
    before = now;
    now = await shift(page);
  }
}

/** Whether the picture moves with what is dragged here; else it is a node alone that does. */
async function isPanned(page, { x, y }) {
  await settled(page);
  const before = await shift(page);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 6, y);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined))));
  const after = await shift(page);
  await page.mouse.move(x, y);
  await page.mouse.up();
  await settled(page);
  return before !== after;
}

/** Where there is nothing but the plane, and where a node is. */
async function placesIn(page) {
  const box = await picture(page).boundingBox();
  if (!box) throw new Error('there is no picture');
  let plane;
  let node;
  for (let y = box.y + 200; y < box.y + box.height - 60; y += 9) {
    for (let x = box.x + 60; x < box.x + box.width - 60; x += 31) {
      await page.mouse.move(x, y);
      const isFree = (await picture(page).evaluate((host) => host.style.cursor)) === '';
      if (isFree) plane ??= { x, y };
      else if (!node && !(await isPanned(page, { x, y }))) node = { x, y };
      if (plane && node) return { plane, node };
    }
  }
  throw new Error('there is no node, or nothing between nodes');
}

const executablePath = process.env.CLEW_TEST_CHROMIUM ?? BROWSERS.find(existsSync);
if (!executablePath) throw new Error('there is no Chromium (Debian package chromium); CLEW_TEST_CHROMIUM may name one');
const server = await serve(SIZE);
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

let isBroken = false;
const say = (/** @type {string} */ what, /** @type {string} */ figure, /** @type {boolean} */ isKept, bound = '') => {
  isBroken ||= !isKept;
  process.stdout.write(`  ${what.padEnd(54)}${figure.padEnd(40)}${bound}${isKept ? '' : '  BROKEN'}\n`);
};
const shown = (/** @type {{ script: number[], task: number[] }} */ { script, task }) =>
  `${quantile(script, 0.5).toFixed(2)} ms, p95 ${quantile(script, 0.95).toFixed(2)}, all work ${quantile(task, 0.5).toFixed(2)}`;
process.stdout.write(`topology of ${SIZE.workloads} workloads, ${SIZE.namespaces} namespaces, ${SIZE.edges} edges\n`);
for (const [name, query] of [
  ['namespaces closed', ''],
  ['all namespaces open', '?open=*'],
]) {
  const url = `${base}/topology${query}`;
  const times = [];
  let page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  for (let run = 0; run < RUNS; run++) {
    await page.context().close();
    page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    times.push(await firstPicture(page, url));
  }
  const first = quantile(times, 0.5);
  const all = times.map((time) => time.toFixed(0)).join(', ');
  say(
    `${name}: first picture`,
    `${first.toFixed(0)} ms (${all})`,
    first <= FIRST_PICTURE_MS,
    `<= ${FIRST_PICTURE_MS} ms`,
  );
  await settled(page);
  const places = await placesIn(page);
  for (const [what, from] of [
    ['the view', places.plane],
    ['a node', places.node],
  ]) {
    if ((await isPanned(page, from)) !== (what === 'the view')) throw new Error(`it was not ${what} that moved`);
    const figures = await drag(page, from);
    const isKept = quantile(figures.script, 0.5) <= SCRIPT_MS;
    say(`${name}: script/frame, dragging ${what}`, shown(figures), isKept, `<= ${SCRIPT_MS} ms`);
  }
  await page.context().close();
}
process.stdout.write(`trace of ${TRACE.spans} spans\n`);
{
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${base}/traces/${TRACE.id}`);
  await page.locator('[role="treeitem"]').first().waitFor();
  const first = await page.evaluate(() => performance.now());
  say('first rows', `${first.toFixed(0)} ms`, true);
  say('script/frame, scrolling', shown(await scroll(page)), true);
}
await browser.close();
server.close();
process.exit(isBroken ? 1 : 0);
