// From each page to the others that a person goes on to, by what is on the page alone.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, observe } from './browser';
import { answer, type Demo, startDemo, until } from './demo';

let demo: Demo;
let browser: Browser;
/** A trace that is whole, and goes through books. */
let trace: string;

beforeAll(async () => {
  demo = await startDemo();
  browser = await launch();
  trace = await until('trace through three workloads', async () => {
    const { traces } = await answer<{ traces: { trace_id: string; services: Record<string, number> }[] }>(
      demo.base,
      'traces?service=books&settled=3s',
    );
    return traces.find((one) => Object.keys(one.services).length >= 3)?.trace_id;
  });
});

afterAll(async () => {
  await browser?.close();
  await demo?.end();
});

const BOOKS = '/workloads/default/books';
const ROUTE = 'workload=books&namespace=default&route=GET%20%2Fbooks';
const tab = (name: string) => (page: Page) => page.locator('nav.tabs').getByRole('button', { name, exact: true });
const link = (name: string | RegExp) => (page: Page) => page.locator('main').getByRole('link', { name }).first();
const side = (page: Page) => page.locator('aside[aria-label="What is selected"]');

interface Way {
  name: string;
  from: string | (() => string);
  /** What is clicked. */
  by: (page: Page) => ReturnType<Page['locator']>;
  to: RegExp;
  /** What is there when the page is drawn. */
  drawn: string;
}

const WAYS: Way[] = [
  {
    name: 'overview to a workload',
    from: '/',
    by: link(/^books$/),
    to: /\/workloads\/default\/books$/,
    drawn: '.octopus',
  },
  {
    name: 'workload to its instances',
    from: BOOKS,
    by: tab('Instances'),
    to: /tab=instances/,
    drawn: 'table[aria-label="Instances of books"] tbody tr',
  },
  {
    name: 'workload to a live tap',
    from: BOOKS,
    by: tab('Live tap'),
    to: /tab=tap/,
    drawn: 'table[aria-label^="Requests"] tbody tr.link',
  },
  {
    name: 'workload to its traces',
    from: BOOKS,
    by: tab('Traces'),
    to: /tab=traces/,
    drawn: 'table[aria-label="Traces through books"] tbody tr',
  },
  {
    name: 'workload to its propagation',
    from: BOOKS,
    by: tab('Propagation'),
    to: /tab=propagation/,
    drawn: 'table[aria-label^="Requests"] tbody tr',
  },
  {
    name: 'a workload’s traces to its routes',
    from: `${BOOKS}?tab=traces`,
    by: tab('Routes'),
    to: /\/books$/,
    drawn: 'table[aria-label="Routes of books"] tbody tr',
  },
  { name: 'workload to a client', from: BOOKS, by: link(/^webapp$/), to: /\/default\/webapp$/, drawn: '.octopus' },
  {
    name: 'workload to its place in the topology',
    from: BOOKS,
    by: link('In the topology'),
    to: /\/topology\?sel=default%2Fbooks$/,
    drawn: 'aside h2 a:text-is("books")',
  },
  {
    name: 'topology to the page of a workload',
    from: '/topology?sel=default%2Fbooks',
    by: (page) => side(page).getByRole('link', { name: 'books', exact: true }),
    to: /\/workloads\/default\/books$/,
    drawn: '.octopus',
  },
  {
    name: 'topology to traces of a workload',
    from: '/topology?sel=default%2Fbooks',
    by: (page) => side(page).getByRole('link', { name: 'Traces', exact: true }),
    to: /\/traces\?service=books$/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'route to its traces',
    from: `/routes?${ROUTE}`,
    by: link(/^Traces$/),
    to: /\/traces\?/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'route to where its time goes',
    from: `/routes?${ROUTE}`,
    by: link('Where its time goes'),
    to: /\/critical-path\?/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'critical path to traces of the route',
    from: `/critical-path?${ROUTE}`,
    by: link(/^Traces$/),
    to: /\/traces\?/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'traces to one of them',
    from: '/traces?service=books',
    by: (page) => page.locator('main table tbody tr a').first(),
    to: /\/traces\/[0-9a-f]{32}$/,
    drawn: '[role="treeitem"]',
  },
  {
    name: 'trace to what is usual for its route',
    from: () => `/traces/${trace}`,
    by: link(/^Compare$/),
    to: /view=compare/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'trace to the critical path of its route',
    from: () => `/traces/${trace}?view=compare`,
    by: (page) => page.locator('main a[href^="/critical-path?"]').first(),
    to: /\/critical-path\?/,
    drawn: 'main table tbody tr',
  },
  {
    name: 'mesh to an instance',
    from: '/mesh',
    by: link(/^books-/),
    to: /\/workloads\/default\/books\?tab=instances$/,
    drawn: 'table[aria-label="Instances of books"] tbody tr',
  },
];

test.each(WAYS)('$name', async ({ from, by, to, drawn }) => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  const misdeeds = observe(page, demo.base);
  await page.goto(demo.base + (typeof from === 'string' ? from : from()));
  await by(page).click();
  await page.waitForURL(to);
  await page.waitForSelector(drawn);
  expect(misdeeds).toEqual({ errors: [], elsewhere: [] });
  await page.close();
});

test('from a span of a trace to its workload', async () => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(`${demo.base}/traces/${trace}`);
  await page.locator('[role="treeitem"]:has(:text-is("books"))').last().click();
  await page.locator('main').getByRole('link', { name: 'books', exact: true }).click();
  await page.waitForURL(/\/workloads\/default\/books$/);
  await page.close();
});

test('from a request in a tap to its trace, although that has only just happened', async () => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(`${demo.base}/tap?workload=books`);
  await page.locator('table.tap a[href^="/traces/"]').first().click();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}$/);
  await page.locator('[role="treeitem"]').first().waitFor();
  await page.close();
});

test('a tap ends when its tab is left, and asks for nothing while it is paused', async () => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  /** Streams that the page has opened for a tap. */
  const streams: string[] = [];
  const last = () => streams.at(-1) ?? '';
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/live')) streams.push(decodeURIComponent(request.url()));
  });
  await page.goto(demo.base + BOOKS);
  await page.locator('.live.is-live').waitFor();
  expect(streams.filter((url) => url.includes('watch=tap'))).toEqual([]);
  await tab('Live tap')(page).click();
  await until('stream with the tap', () => last().includes('watch=tap') || undefined);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await until('stream without it', () => !last().includes('watch=tap') || undefined);
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await until('stream with the tap', () => last().includes('watch=tap') || undefined);
  await tab('Instances')(page).click();
  await until('stream without it', () => !last().includes('watch=tap') || undefined);
  await page.close();
});
