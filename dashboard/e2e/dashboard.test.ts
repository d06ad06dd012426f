// The dashboard as a person uses it: a real mesh, a real browser.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, type Misdeeds, observe } from './browser';
import { answer, type Demo, request, runCommand, startDemo, until } from './demo';
import { PAGES, PARTS } from './pages';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The exit code of a command that finds no mesh. */
const NO_MESH = 69;

let demo: Demo;
let browser: Browser;
let page: Page;
let misdeeds: Misdeeds;
/** What a test asks for may not be there. */
let mayBeRefused: boolean;

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

interface Traces {
  traces: { trace_id: string; services: Record<string, number> }[];
}

beforeAll(async () => {
  demo = await startDemo();
  browser = await launch();
  // Numbers, routes and traces of each kind.
  await until('trace through three workloads', async () => {
    const { traces } = await answer<Traces>(demo.base, 'traces?service=ratings&settled=2s');
    return traces.find((trace) => Object.keys(trace.services).length >= 3);
  });
});

afterAll(async () => {
  await browser?.close();
  await demo?.end();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  misdeeds = observe(page, demo.base);
  mayBeRefused = false;
});

afterEach(async () => {
  await page.close();
  // The browser logs each refusal by itself.
  const errors = misdeeds.errors.filter((error) => !(mayBeRefused && error.includes('404 (Not Found)')));
  expect({ ...misdeeds, errors }).toEqual({ errors: [], elsewhere: [] });
});

const open = (path: string) => page.goto(demo.base + path);

async function violations(): Promise<string[]> {
  // By the browser and not by the page, whose policy allows no script of others.
  await page.evaluate(AXE);
  const found: Violation[] = await page.evaluate(() =>
    // biome-ignore lint/suspicious/noExplicitAny: put there by the line above
    (window as any).axe
      .run({ resultTypes: ['violations'] })
      .then((result: { violations: Violation[] }) => result.violations),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
  );
}

test.each(PAGES)('$name is drawn, in both themes, and everyone can use it', async ({ path, drawn }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await open(path);
    await page.waitForSelector(drawn);
    expect(await page.locator('main h1').count()).toBe(1);
    expect(await violations()).toEqual([]);
  }
});

test('a page that there is not says so', async () => {
  await open('/nothing/here');
  await page.getByText('There is no such page').waitFor();
});

test('numbers change without anyone asking again', async () => {
  await open('/workloads/default/webapp');
  const shown = page.locator('.octopus .middle');
  await shown.waitFor();
  await page.locator('.live.is-live').waitFor();
  const before = await shown.innerText();
  await until('other numbers', async () => ((await shown.innerText()) !== before ? true : undefined));
});

test('a paused page has no connection, and one that goes on has one again', async () => {
  await open('/');
  await page.locator('.live.is-live').waitFor();
  await page.getByRole('button', { name: 'live' }).click();
  await page.locator('.live.is-paused').waitFor();
  await page.getByRole('button', { name: 'paused' }).click();
  await page.locator('.live.is-live').waitFor();
});

test('the list of traces follows, and stands still while someone looks at it', async () => {
  await open('/traces');
  const first = page.locator('main table tbody tr').first();
  await first.waitFor();
  const before = await first.innerText();
  await until('newer trace', async () => ((await first.innerText()) !== before ? true : undefined));
  await first.hover();
  const held = await first.innerText();
  await page.getByText('held while you look').waitFor();
  expect(await first.innerText()).toBe(held);
  await page.getByRole('heading', { name: 'Traces', level: 1 }).hover();
  await until('newer trace', async () => ((await first.innerText()) !== held ? true : undefined));
});

test('from a workload to its route, to a trace, to a span, by links alone', async () => {
  await open('/');
  await page.getByRole('link', { name: 'books', exact: true }).click();
  await page.waitForURL('**/workloads/default/books');
  await page.getByRole('cell', { name: 'GET /books/{id}', exact: true }).click();
  await page.waitForURL('**/routes?**');
  await page.locator('.heatmap canvas').waitFor();
  await page.getByRole('link', { name: 'Traces', exact: true }).last().click();
  await page.waitForURL('**/traces?**');
  await page.locator('main table tbody tr').first().click();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
});

test('the trace of a request is found as soon as the API has it', async () => {
  const path = `/nothing-${crypto.randomUUID()}`;
  expect(await request(demo.gateway + path)).toBe(404);
  const trace = await until('trace of the request', async () => {
    const { traces } = await answer<Traces>(demo.base, `traces?tags=${encodeURIComponent(`url.path=${path}`)}`);
    return traces[0];
  });
  await open(`/traces/${trace.trace_id}`);
  // The page names it, and the gateway that it came through.
  await page.getByText(trace.trace_id.slice(0, 8)).first().waitFor();
  await page.locator('main').getByText('gateway').first().waitFor();
  expect(await violations()).toEqual([]);
});

test('a trace that is still arriving says so, until the server says otherwise', async () => {
  const { traces } = await answer<Traces>(demo.base, 'traces?service=ratings&settled=2s');
  const path = `/traces/${traces[0]?.trace_id}`;
  await page.route(`**/api/v1${path}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), state: 'arriving' } });
  });
  await open(path);
  await page.getByText('still arriving').waitFor();
  // The page follows it by its stream of events, whose answers are the server's own.
  await page.getByText('still arriving').waitFor({ state: 'detached' });
});

test('keys go to pages, and find workloads', async () => {
  await open('/');
  await page.locator('main h1').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL('**/mesh');
  await page.keyboard.press('/');
  await page.keyboard.type('rat');
  await page.getByRole('option', { name: /ratings/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/workloads/default/ratings');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
});

test('arrows go through a list', async () => {
  await open('/');
  const rows = page.locator('table[aria-label="Workloads"] tbody tr');
  await rows.first().focus();
  await page.keyboard.press('ArrowDown');
  expect(await rows.nth(1).evaluate((row) => row === document.activeElement)).toBe(true);
  const name = await rows.nth(1).locator('a').innerText();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/workloads/default/${name}`);
});

test('what is shown is in the address', async () => {
  await open('/?window=5m&find=boo');
  await page.locator('table[aria-label="Workloads"] tbody tr').first().waitFor();
  expect(await page.locator('table[aria-label="Workloads"] tbody tr').count()).toBe(1);
  expect(await page.getByLabel('Time window').inputValue()).toBe('5m');
  await page.getByRole('link', { name: 'Mesh' }).click();
  await page.waitForURL('**/mesh?window=5m');
});

test('an unknown workload is refused with the names that there are', async () => {
  await open('/workloads/default/nobody');
  const alert = page.getByRole('alert').first();
  await alert.waitFor();
  expect(await alert.innerText()).toContain('books');
  mayBeRefused = true;
});

test('a stretch of a chart that is dragged over becomes the time of the page, by one step', async () => {
  await open('/workloads/default/books');
  // What is above the charts moves them when it comes.
  await page.locator('.octopus .middle').waitFor();
  // The charts of a page follow the pointer of one another: each told of the drag once, which were four steps back.
  const plot = page.locator('.chart .u-over').first();
  await plot.waitFor();
  const box = await plot.boundingBox();
  if (!box) throw new Error('the chart has no place');
  const steps = () => page.evaluate(() => history.length);
  const before = await steps();
  await page.mouse.move(box.x + 40, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/window=\d+s&until=/);
  expect((await steps()) - before).toBe(1);
  await page.goBack();
  expect(new URL(page.url()).search).toBe('');
});

test('a name that no address should have does not take the page down', async () => {
  await open('/workloads/default/a%25b');
  await page.getByRole('alert').first().waitFor();
  expect(await page.locator('main h1').innerText()).toBe('a%b');
  mayBeRefused = true;
});

/** The commands that a page shows for a time that is over. */
async function commandsOf({ path, drawn }: { path: string; drawn: string }): Promise<string[]> {
  const time = `window=5m&until=${new Date().toISOString()}`;
  await open(`${path}${path.includes('?') ? '&' : '?'}${time}`);
  await page.waitForSelector(drawn);
  await page.locator('.command code').first().waitFor();
  return page.locator('.command code').allTextContents();
}

async function expectTaken(commands: string[]) {
  for (const command of commands) {
    const ofTap = command.startsWith('clew tap') ? ' --limit 1' : '';
    // What would change the mesh for the other tests is asked of one that is not there.
    const isChange = /^clew settings --/.test(command);
    const { code, said } = await runCommand(command + ofTap, isChange ? 'http://127.0.0.1:1' : demo.base);
    expect(code, `${command}\n${said}`).toBe(isChange ? NO_MESH : 0);
  }
}

test.each([...PAGES, ...PARTS])('the command line takes the commands of $path', async (of) => {
  await expectTaken(await commandsOf(of));
});

test('the command line takes the commands of a trace', async () => {
  const { traces } = await answer<Traces>(demo.base, 'traces?service=books');
  await expectTaken(await commandsOf({ path: `/traces/${traces[0]?.trace_id}`, drawn: 'main nav.tabs' }));
});

test('the command line opens the page of a workload', async () => {
  const { code, said } = await runCommand('clew dashboard --print books', demo.base);
  expect({ code, said }).toEqual({ code: 0, said: `${demo.base}/workloads/default/books\n` });
  await page.goto(said.trim());
  await page.locator('.octopus .middle').waitFor();
});

test('the command line opens the dashboard by what the system opens addresses with', async () => {
  const opener = 'cat >xdg-open <<"END"\n#!/bin/sh\necho "$@" >opened\nEND\nchmod +x xdg-open';
  const { said } = await runCommand(
    `cd "$(mktemp -d)"; ${opener}; PATH=$PWD:$PATH DISPLAY=:0 clew dashboard; cat opened; rm -r "$PWD"`,
    demo.base,
  );
  expect(said).toBe(`${demo.base}/\n${demo.base}/\n`);
});
