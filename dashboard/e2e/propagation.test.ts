// A workload that forgets the trace context is named, with what to change.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from './browser';
import { answer, type Demo, startDemo, until } from './demo';

let demo: Demo;
let browser: Browser;

beforeAll(async () => {
  demo = await startDemo('--drop-context', 'books');
  browser = await launch();
  await until('score of books', async () => {
    const { workloads } = await answer<{ workloads: { name: string; score?: number }[] }>(demo.base, 'propagation');
    return workloads.find((workload) => workload.name === 'books' && workload.score === 0);
  });
});

afterAll(async () => {
  await browser?.close();
  await demo?.end();
});

test('the overview marks it, and its page says what it dropped and what to copy', async () => {
  const page = await browser.newPage();
  await page.goto(demo.base);
  const books = page.locator('table[aria-label="Workloads"] tbody tr', { hasText: 'books' });
  await books.locator('.tag.bad').waitFor();
  await page.goto(`${demo.base}/workloads/default/books?tab=propagation`);
  await page
    .getByText(/dropped \d/)
    .first()
    .waitFor();
  const advice = page.getByText('What to change in books:').locator('..');
  expect(await advice.innerText()).toContain('Copy traceparent and tracestate');
  expect(await page.getByText('without any of them').count()).toBe(1);
});

test('nobody else is blamed', async () => {
  const page = await browser.newPage();
  await page.goto(`${demo.base}/workloads/default/webapp?tab=propagation`);
  await page.getByText('Nothing speaks against it').waitFor();
});
