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

test('a trace that ends at it says that it is broken there, and leads to its propagation', async () => {
  const { trace_id } = await until('trace that ends at books', async () => {
    const { traces } = await answer<{ traces: { trace_id: string; services: Record<string, number> }[] }>(
      demo.base,
      'traces?service=books&settled=3s&limit=200',
    );
    return traces.find(({ services }) => services.gateway && services.books);
  });
  const page = await browser.newPage();
  await page.goto(`${demo.base}/traces/${trace_id}`);
  await page.getByText('The trace may end too early at books.').waitFor();
  await page.getByRole('link', { name: 'propagation of books' }).click();
  await page.waitForURL('**/workloads/default/books?tab=propagation');
});

test('the topology names it, and leads to its propagation', async () => {
  const page = await browser.newPage();
  await page.goto(`${demo.base}/topology`);
  const side = page.locator('aside[aria-label="What is selected"]');
  await side
    .locator('section', { hasText: 'Workloads that break traces' })
    .getByRole('button', { name: 'books' })
    .click();
  await side.getByRole('link', { name: 'Why, and how to fix it' }).click();
  await page.waitForURL('**/workloads/default/books?tab=propagation');
});
