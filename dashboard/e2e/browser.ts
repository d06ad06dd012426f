// A real browser: Debian's Chromium, or the one that CLEW_TEST_CHROMIUM names.

import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function executable(): string {
  const found = process.env.CLEW_TEST_CHROMIUM ?? PLACES.find(existsSync);
  if (!found) throw new Error('there is no Chromium (Debian package chromium); CLEW_TEST_CHROMIUM may name one');
  return found;
}

export function launch(): Promise<Browser> {
  // In a container, or as root, Chromium cannot make the sandbox of its own.
  return chromium.launch({ executablePath: executable(), args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** What a page did that it should not have done. */
export interface Misdeeds {
  errors: string[];
  elsewhere: string[];
}

/** Notes what the page logs as an error, and what it asks of other hosts. */
export function observe(page: Page, base: string): Misdeeds {
  const misdeeds: Misdeeds = { errors: [], elsewhere: [] };
  page.on('console', (message) => {
    if (message.type() === 'error') misdeeds.errors.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => misdeeds.errors.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith('data:') && !url.startsWith('blob:')) misdeeds.elsewhere.push(url);
  });
  return misdeeds;
}
