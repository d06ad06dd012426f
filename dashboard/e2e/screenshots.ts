// `make screenshots`: every page, light and dark, in target/screenshots.

import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { launch } from './browser';
import { answer, startDemo, until } from './demo';
import { PAGES } from './pages';

const FOLDER = process.env.CLEW_SCREENSHOTS ?? new URL('../../target/screenshots', import.meta.url).pathname;
/** What charts need to show something. */
const WARM_UP_MS = 45_000;

test('every page', { timeout: 300_000 }, async () => {
  mkdirSync(FOLDER, { recursive: true });
  const demo = await startDemo('--drop-context', 'ratings');
  const browser = await launch();
  try {
    await new Promise((done) => setTimeout(done, WARM_UP_MS));
    const trace = await until('trace', async () => {
      const { traces } = await answer<{ traces: { trace_id: string; spans: number }[] }>(
        demo.base,
        'traces?service=webapp',
      );
      return traces.sort((a, b) => b.spans - a.spans)[0];
    });
    const pages = [...PAGES, { name: 'trace', path: `/traces/${trace.trace_id}`, drawn: 'h1' }];
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
      for (const { name, path, drawn } of pages) {
        await page.goto(demo.base + path);
        await page.waitForSelector(drawn);
        await page.locator('.loading').first().waitFor({ state: 'detached' });
        // Pictures are drawn in the frame after the one in which their data came.
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${FOLDER}/${name}-${colorScheme}.png` });
      }
      await page.close();
    }
    expect(pages.length).toBeGreaterThan(9);
  } finally {
    await browser.close();
    await demo.end();
  }
});
