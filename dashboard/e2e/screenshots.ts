// `make screenshots`: every page, light and dark, in target/screenshots.

import { mkdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { launch } from './browser';
import { answer, startDemo, until } from './demo';
import { PAGES } from './pages';

const FOLDER = process.env.CLEW_SCREENSHOTS ?? new URL('../../target/screenshots', import.meta.url).pathname;
/** What charts need to show something. */
const WARM_UP_MS = 45_000;
const LONG = { timeout: 300_000 };

interface Subject {
  name: string;
  path: string;
  /** What is there when the page is drawn. */
  drawn: string;
}

let browser: Browser;

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  browser = await launch();
});

afterAll(() => browser?.close());

/** Takes pictures of pages of `clew demo` with `flags`; `more` are those whose addresses only the mesh knows. */
async function take(flags: string[], pages: readonly Subject[], more: (base: string) => Promise<Subject[]>) {
  const demo = await startDemo(...flags);
  try {
    await new Promise((done) => setTimeout(done, WARM_UP_MS));
    const all = [...pages, ...(await more(demo.base))];
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
      for (const { name, path, drawn } of all) {
        await page.goto(demo.base + path);
        await page.waitForSelector(drawn);
        await page.locator('.loading').first().waitFor({ state: 'detached' });
        // Pictures are drawn in the frame after the one in which their data came.
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}.png` });
      }
      await page.close();
    }
  } finally {
    await demo.end();
  }
}

/** The page of the trace with the most spans through `service`. */
async function largestTrace(base: string, service: string, name: string): Promise<Subject> {
  const trace = await until('trace', async () => {
    const { traces } = await answer<{ traces: { trace_id: string; spans: number }[] }>(
      base,
      `traces?service=${service}&settled=2s`,
    );
    return traces.sort((a, b) => b.spans - a.spans)[0];
  });
  return { name, path: `/traces/${trace.trace_id}`, drawn: 'main h1' };
}

test('every page', LONG, () => take([], PAGES, async (base) => [await largestTrace(base, 'ratings', 'trace')]));

test('pages of a mesh in which a service drops the context', LONG, () =>
  take(
    ['--drop-context', 'books'],
    [
      { name: 'dropped-overview', path: '/', drawn: 'main table[aria-label="Workloads"] tbody tr' },
      { name: 'dropped-topology', path: '/topology', drawn: 'main canvas' },
      {
        name: 'dropped-propagation',
        path: '/workloads/default/books?tab=propagation',
        drawn: 'main table[aria-label^="Requests"] tbody tr',
      },
    ],
    async (base) => [await largestTrace(base, 'books', 'dropped-trace')],
  ),
);
