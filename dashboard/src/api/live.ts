// One connection of a tab, through which the server sends what changes of the questions that the page shows. A tab that
// nobody looks at, or that is paused, has none.

/** The questions that a connection may follow. */
const MAX_WATCHES = 8;
/** How often the server looks for news, in seconds, unless all that is followed can wait longer. */
const EVERY_S = 2;
/** After a refusal, the connection is tried again. */
const AGAIN_MS = 5000;
/** `EventSource.CLOSED` */
const CLOSED = 2;

type OnAnswer = (asked: string, status: number, body: unknown) => void;
type OnLine = (line: unknown) => void;
type OnRefused = (status: number, body: unknown) => void;
export type LiveState = 'connecting' | 'live' | 'paused' | 'lost' | 'idle';

/** What a page of ours needs of an `EventSource`. */
interface Source {
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
}

export class Live {
  /** Of each question, how often each part of the page that follows it wants news. */
  private readonly watched = new Map<string, number[]>();
  private readonly readers = new Map<string, Set<{ onLine: OnLine; onRefused: OnRefused | undefined }>>();
  private readonly stateListeners = new Set<() => void>();
  private onAnswers: OnAnswer = () => {};
  private source: Source | undefined;
  /** The pace of the open connection, and what it follows. */
  private followed = '';
  private isPaused = false;
  private isHidden = false;
  private isPlanned = false;
  private current: LiveState = 'idle';

  constructor(private readonly open: (url: string) => Source) {}

  onAnswer(listener: OnAnswer): void {
    this.onAnswers = listener;
  }

  /** Follows a question until what is returned is called. `every`: seconds that it can wait for news. */
  watch(asked: string, every = EVERY_S): () => void {
    this.watched.set(asked, [...(this.watched.get(asked) ?? []), every]);
    this.plan();
    return () => {
      const left = [...(this.watched.get(asked) ?? [])];
      left.splice(left.indexOf(every), 1);
      if (left.length > 0) this.watched.set(asked, left);
      else this.watched.delete(asked);
      this.plan();
    };
  }

  /** The lines of a stream, such as tap, until what is returned is called. */
  lines(asked: string, onLine: OnLine, onRefused?: OnRefused): () => void {
    const reader = { onLine, onRefused };
    const readers = this.readers.get(asked) ?? new Set();
    this.readers.set(asked, readers.add(reader));
    const end = this.watch(asked);
    return () => {
      readers.delete(reader);
      if (readers.size === 0) this.readers.delete(asked);
      end();
    };
  }

  pause(paused: boolean): void {
    this.isPaused = paused;
    this.plan();
  }

  hide(hidden: boolean): void {
    this.isHidden = hidden;
    this.plan();
  }

  get paused(): boolean {
    return this.isPaused;
  }

  state = (): LiveState => this.current;

  subscribe = (listener: () => void): (() => void) => {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  };

  /** What a page asks for changes several times while it is drawn: the connection is opened once for all of it. */
  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    queueMicrotask(() => {
      this.isPlanned = false;
      this.follow();
    });
  }

  private follow(): void {
    const wanted = this.isPaused || this.isHidden ? [] : [...this.watched.keys()].sort().slice(0, MAX_WATCHES);
    // One connection has one pace: that of the question that waits the least.
    const every = Math.min(...wanted.flatMap((asked) => this.watched.get(asked) ?? []));
    const followed = [`${every}s`, ...wanted].join('\n');
    if (this.source && followed === this.followed) return;
    this.source?.close();
    this.source = undefined;
    this.followed = followed;
    if (wanted.length === 0) {
      this.tell(this.isPaused ? 'paused' : 'idle');
      return;
    }
    this.tell('connecting');
    const query = new URLSearchParams([['every', `${every}s`], ...wanted.map((asked) => ['watch', asked])]);
    const source = this.open(`/api/v1/live?${query}`);
    this.source = source;
    source.onopen = () => this.tell('live');
    source.onerror = () => {
      this.tell('lost');
      // The browser tries again by itself, unless it was refused.
      if (source.readyState === CLOSED) setTimeout(() => this.reopen(source), AGAIN_MS);
    };
    source.addEventListener('answer', (event) => {
      const { watch, status, body } = JSON.parse(event.data) as { watch: number; status: number; body: unknown };
      const asked = wanted[watch];
      if (asked === undefined) return;
      this.onAnswers(asked, status, body);
      if (status !== 200) for (const { onRefused } of this.readers.get(asked) ?? []) onRefused?.(status, body);
    });
    source.addEventListener('line', (event) => {
      const { watch, line } = JSON.parse(event.data) as { watch: number; line: unknown };
      const asked = wanted[watch];
      if (asked === undefined) return;
      for (const { onLine } of this.readers.get(asked) ?? []) onLine(line);
    });
  }

  private reopen(source: Source): void {
    if (this.source !== source) return;
    this.source = undefined;
    this.plan();
  }

  private tell(state: LiveState): void {
    if (state === this.current) return;
    this.current = state;
    for (const listener of this.stateListeners) listener();
  }
}

export const live = new Live((url) => new EventSource(url));

if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => live.hide(document.hidden));
}
