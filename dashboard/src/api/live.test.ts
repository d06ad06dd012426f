import { beforeEach, expect, test, vi } from 'vitest';
import { Live } from './live';

class FakeSource {
  listeners = new Map<string, (event: MessageEvent<string>) => void>();
  isClosed = false;
  readyState = 1;
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(readonly url: string) {}

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void) {
    this.listeners.set(name, listener);
  }

  close() {
    this.isClosed = true;
  }

  send(name: string, data: unknown) {
    this.listeners.get(name)?.({ data: JSON.stringify(data) } as MessageEvent<string>);
  }

  watches() {
    return new URLSearchParams(this.url.split('?')[1]).getAll('watch');
  }
}

let opened: FakeSource[];
let live: Live;
const settled = () => new Promise<void>((done) => queueMicrotask(done));
const last = () => opened.at(-1) as FakeSource;

beforeEach(() => {
  opened = [];
  live = new Live((url) => {
    opened.push(new FakeSource(url));
    return last();
  });
});

test('what a page follows shares one connection', async () => {
  live.watch('stat?window=1m');
  live.watch('edges');
  live.watch('edges');
  await settled();
  expect(opened.length).toBe(1);
  expect(last().watches()).toEqual(['edges', 'stat?window=1m']);
});

test('a connection asks as often as the question that can wait the least', async () => {
  const every = () => new URLSearchParams(last().url.split('?')[1]).get('every');
  live.watch('check', 10);
  await settled();
  expect(every()).toBe('10s');
  const end = live.watch('stat');
  await settled();
  expect(every()).toBe('2s');
  end();
  await settled();
  expect([every(), last().watches()]).toEqual(['10s', ['check']]);
});

test('answers are told by their question, also when it is followed in several places', async () => {
  const told: unknown[] = [];
  live.onAnswer((...answer) => told.push(answer));
  const end = live.watch('stat');
  live.watch('stat');
  await settled();
  end();
  await settled();
  expect(opened.length).toBe(1);
  last().send('answer', { watch: 0, status: 200, body: { workloads: [] } });
  last().send('answer', { watch: 7, status: 200, body: {} });
  expect(told).toEqual([['stat', 200, { workloads: [] }]]);
});

test('lines of a stream go to who asked for them', async () => {
  const lines: unknown[] = [];
  const end = live.lines('tap', (line) => lines.push(line));
  await settled();
  last().send('line', { watch: 0, line: { type: 'request' } });
  end();
  await settled();
  last().send('line', { watch: 0, line: { type: 'late' } });
  expect(lines).toEqual([{ type: 'request' }]);
  expect(last().isClosed).toBe(true);
});

test('who asked for lines is told why there are none', async () => {
  const refusals: unknown[] = [];
  live.lines(
    'tap?method=G',
    () => {},
    (...refusal) => refusals.push(refusal),
  );
  await settled();
  last().send('answer', { watch: 0, status: 400, body: { title: 'No' } });
  expect(refusals).toEqual([[400, { title: 'No' }]]);
});

test('a tab that is paused, or that nobody looks at, has no connection', async () => {
  live.watch('stat');
  await settled();
  live.hide(true);
  await settled();
  expect([last().isClosed, live.state()]).toEqual([true, 'idle']);
  live.hide(false);
  await settled();
  expect(opened.length).toBe(2);
  live.pause(true);
  await settled();
  expect([last().isClosed, live.state()]).toEqual([true, 'paused']);
});

test('the state follows the connection', async () => {
  const states: string[] = [];
  live.subscribe(() => states.push(live.state()));
  live.watch('stat');
  await settled();
  last().onopen?.({} as Event);
  last().onerror?.({} as Event);
  last().onopen?.({} as Event);
  expect(states).toEqual(['connecting', 'live', 'lost', 'live']);
});

test('a connection that was refused is tried again after a while', async () => {
  vi.useFakeTimers();
  live.watch('stat');
  await settled();
  last().readyState = 2;
  last().onerror?.({} as Event);
  vi.runAllTimers();
  vi.useRealTimers();
  await settled();
  expect([opened.length, last().watches(), live.state()]).toEqual([2, ['stat'], 'connecting']);
});
