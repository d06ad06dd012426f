// The newest requests of a tap, and what was counted beside them. However many come, it stays this small.

import type { Schema } from '../api/answer';

export type TapRequest = Schema<'TapRequest'>;
type TapLine = Schema<'TapLine'>;

const MAX_LINES = 1000;

export interface Line {
  /** Counted from the first one on. */
  id: number;
  request: TapRequest;
}

export interface Tapped {
  /** Newest first. */
  lines: readonly Line[];
  /** Requests that came, the ones that are not kept any more included. */
  came: number;
  /** Requests that matched and were not sent, because of the rate. */
  skipped: number;
  watching: Schema<'TapWatching'> | undefined;
}

export const NOTHING_YET: Tapped = { lines: [], came: 0, skipped: 0, watching: undefined };

export class TapBuffer {
  /** Newest last. */
  private kept: Line[] = [];
  private came = 0;
  private skipped = 0;
  private watching: Tapped['watching'];
  private hasNews = false;

  constructor(private readonly most = MAX_LINES) {}

  add(line: TapLine): void {
    this.hasNews = true;
    if (line.type === 'request') {
      this.came += 1;
      this.kept.push({ id: this.came, request: line });
      // Cut now and then, not for each.
      if (this.kept.length >= 2 * this.most) this.kept = this.kept.slice(-this.most);
    } else if (line.type === 'skipped') this.skipped += line.requests;
    else this.watching = line;
  }

  /** What there is, if that is other than the last time. */
  news(): Tapped | undefined {
    if (!this.hasNews) return undefined;
    this.hasNews = false;
    const { came, skipped, watching } = this;
    return { lines: this.kept.slice(-this.most).reverse(), came, skipped, watching };
  }
}
