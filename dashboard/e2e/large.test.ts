// A trace of ten thousand spans, from an application that has its own: only what is in sight is in the page.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { spansOf } from '../bench/trace.js';
import { launch, type Misdeeds, observe } from './browser';
import { answer, type Roles, startRoles, until } from './demo';

const SIZE = 10_000;
/** Of one request to the API. */
const BATCH = 1000;
/** More rows than a screen has, and far fewer than spans. */
const MOST_ROWS = 100;
const TRACE = crypto.randomUUID().replaceAll('-', '');

let roles: Roles;
let browser: Browser;
let page: Page;
let misdeeds: Misdeeds;

beforeAll(async () => {
  roles = await startRoles();
  browser = await launch();
  const spans = spansOf(SIZE);
  for (let from = 0; from < SIZE; from += BATCH) await send(roles.otlp, spans.slice(from, from + BATCH));
  await until('trace with all of its spans', async () => {
    const { traces } = await answer<{ traces: { spans: number }[] }>(roles.base, 'traces');
    return traces.find((one) => one.spans === SIZE);
  });
});

afterAll(async () => {
  await browser?.close();
  await roles?.end();
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  misdeeds = observe(page, roles.base);
  await page.goto(`${roles.base}/traces/${TRACE}`);
  await rows().first().waitFor();
  return async () => {
    await page.close();
    expect(misdeeds).toEqual({ errors: [], elsewhere: [] });
  };
});

const rows = () => page.locator('[role="treeitem"]');
const tops = () => rows().evaluateAll((all) => all.map((row) => row.getBoundingClientRect().top));

/** OTLP/HTTP in JSON, as a library of OpenTelemetry sends it; times are those of a request that ended now. */
async function send(otlp: string, spans: ReturnType<typeof spansOf>): Promise<void> {
  const nanos = (ms: number) => `${BigInt(BEGUN_MS) * 1_000_000n + BigInt(Math.round(ms * 1_000_000))}`;
  const services = [...new Set(spans.map((span) => span.service))];
  const resourceSpans = services.map((service) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        scope: { name: 'large.test' },
        spans: spans
          .filter((span) => span.service === service)
          .map(({ id, parent, isClient, from, to }) => ({
            traceId: TRACE,
            spanId: id,
            parentSpanId: parent ?? '',
            name: `GET /${service}/{id}`,
            kind: isClient ? 3 : 2,
            startTimeUnixNano: nanos(from),
            endTimeUnixNano: nanos(to),
          })),
      },
    ],
  }));
  const response = await fetch(`${otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans }),
  });
  expect([response.status, await response.text()]).toEqual([200, expect.not.stringContaining('rejected')]);
}

const BEGUN_MS = Date.now() - 10_000;

test('all of it is there, and only the rows in sight are in the page', async () => {
  await page.getByLabel(`Spans of the trace: ${SIZE} rows.`, { exact: false }).waitFor();
  expect(await rows().count()).toBeLessThan(MOST_ROWS);
  expect(await rows().count()).toBeGreaterThan(10);
  expect(await page.locator('main *').count()).toBeLessThan(5000);
});

test('it can be scrolled to its end', async () => {
  const first = await rows().first().innerText();
  await page.locator('.waterfall .rows').evaluate((scroll) => scroll.scrollTo({ top: scroll.scrollHeight }));
  await until('other rows', async () => ((await rows().first().innerText()) !== first ? true : undefined));
  expect(await rows().count()).toBeLessThan(MOST_ROWS);
  const bottom = await page.locator('.waterfall .rows').evaluate((scroll) => scroll.getBoundingClientRect().bottom);
  const last = Math.max(...(await tops()));
  expect(last).toBeGreaterThan(bottom - 80);
  expect(last).toBeLessThan(bottom);
});

test('the keys go to its last span and back', async () => {
  const tree = page.getByRole('tree');
  await tree.focus();
  const at = () => tree.getAttribute('aria-activedescendant');
  const first = await at();
  await page.keyboard.press('End');
  await until('another row', async () => ((await at()) !== first ? true : undefined));
  await page.locator(`[id="${await at()}"]`).waitFor();
  await page.keyboard.press('Home');
  await until('the first row', async () => ((await at()) === first ? true : undefined));
});

test('it can be zoomed into, and back to all of it', async () => {
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.waitForURL(/range=2500-7500/);
  expect(await rows().count()).toBeLessThan(MOST_ROWS);
  await page.getByRole('button', { name: 'all', exact: true }).click();
  await page.waitForURL(new RegExp(`/traces/${TRACE}$`));
});
