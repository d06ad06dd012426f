import { expect, test } from 'vitest';
import { spansOfHops } from './hops';
import { build, type Model, ms, type Span } from './model';
import { owner } from './parts';
import { allPaths, blame, pathOf } from './path';
import { drawn, piecesOf } from './pieces';
import { ALL_OPEN, rowsOf } from './rows';
import { large, library, span, took, trace } from './testing';

const of = (spans: Span[]) => build(trace(spans));
const server = (id: string, parent: string | null, service: string, from: number, to: number) =>
  span(id, parent, 'server', service, from, to);
const client = (id: string, parent: string | null, service: string, from: number, to: number) =>
  span(id, parent, 'client', service, from, to);

function blamed(model: Model): string[] {
  return blame(model, 0)
    .map((share) => `${share.part} ${owner(share)} ${ms(share.nanos)}`)
    .sort();
}

test('the time of a request is told apart', () => {
  const model = of([
    took(server('1', null, 'webapp', 0, 100), 2000, 1000),
    took(client('2', '1', 'webapp', 10, 90), 3000, 4000),
    took(server('3', '2', 'books', 20, 80), 5000),
  ]);
  expect(blamed(model)).toEqual([
    'application books 55',
    'application webapp 17',
    'network webapp → books 13',
    'proxy books, inbound 5',
    'proxy webapp, inbound 2',
    'proxy webapp, outbound 3',
    'wait webapp, inbound 1',
    'wait webapp, outbound 4',
  ]);
});

test('of two calls at once the one that ends last is waited for', () => {
  const model = of([
    server('1', null, 'webapp', 0, 100),
    client('2', '1', 'webapp', 10, 40),
    server('3', '2', 'authors', 10, 40),
    client('4', '1', 'webapp', 10, 90),
    server('5', '4', 'books', 10, 90),
  ]);
  expect(blamed(model)).toEqual(['application books 80', 'application webapp 20']);
  const steps = pathOf(model, 0).map(({ node, own }) => `${node.span.span_id} ${ms(own)}`);
  expect(steps).toEqual(['1 20', '4 0', '5 80']);
});

test('calls one after another are all waited for, and what was overtaken delays nothing', () => {
  const model = of([
    server('1', null, 'webapp', 0, 100),
    client('2', '1', 'webapp', 0, 30),
    client('3', '1', 'webapp', 20, 60),
    client('4', '1', 'webapp', 60, 100),
  ]);
  expect([...allPaths(model).values()].map(({ node, own }) => [node.span.span_id, ms(own)])).toEqual([
    ['1', 20],
    ['3', 40],
    ['4', 40],
  ]);
});

test('a server outside of the mesh, one without a span, and a gateway', () => {
  const outside = { ...client('2', '1', 'webapp', 0, 40), attributes: { 'server.address': 'api.example' } };
  const unseen = { ...client('3', '1', 'webapp', 40, 70), attributes: { 'clew.peer.workload': 'books' } };
  const gateway = { ...server('1', null, 'webapp', 0, 100), proxy_time: null };
  expect(blamed(of([gateway, outside, unseen]))).toEqual([
    'outside webapp → api.example 40',
    'proxy webapp, inbound 30',
    'unseen webapp → books 30',
  ]);
});

test('time of a library is that of its workload, whatever it calls itself', () => {
  const inside = library({ ...span('2', '1', 'internal', 'my-app', 10, 60), instance: null });
  expect(blamed(of([server('1', null, 'webapp', 0, 100), inside]))).toEqual(['application webapp 100']);
});

test('a clock that is behind is set right by the least, and what is cut off belongs to nobody', () => {
  const model = of([
    server('1', null, 'webapp', 0, 100),
    client('2', '1', 'webapp', 20, 80),
    server('3', '2', 'books', 5, 45),
    client('4', '3', 'books', 10, 40),
  ]);
  const [, , books, call] = model.nodes;
  expect(books && [ms(books.start), ms(books.end), ms(books.skew)]).toEqual([20, 60, 15]);
  expect(call && [ms(call.start), ms(call.end), call.skew]).toEqual([25, 55, 0]);
});

test('spans that share an id, and spans in a circle, are each there once', () => {
  const shared = of([client('1', null, 'a', 0, 10), server('1', '1', 'b', 1, 9), client('2', '1', 'b', 2, 8)]);
  expect(shared.nodes.map((node) => node.parent)).toEqual([undefined, 0, 1]);
  expect([...shared.ids.keys()]).toEqual(['1', '1.2', '2']);
  const circle = of([client('1', '2', 'a', 0, 10), server('2', '1', 'b', 1, 9)]);
  expect(circle.order).toHaveLength(2);
  expect(circle.roots).toHaveLength(1);
});

test('a bar is whole: its pieces follow one another from its start to its end', () => {
  const model = of([
    took(server('1', null, 'webapp', 0, 100), 3000, 2000, 1000),
    client('2', '1', 'webapp', 10, 40),
    client('3', '1', 'webapp', 30, 90),
  ]);
  const pieces = piecesOf(model, model.nodes[0] as never);
  expect(pieces.map(({ kind, from, to }) => `${kind} ${ms(from)} ${ms(to)}`)).toEqual([
    'proxy 0 2',
    'wait 2 4',
    'application 4 10',
    'below 10 90',
    'application 90 99',
    'proxy 99 100',
  ]);
});

test('what is too narrow to be seen is drawn with what is beside it, but for the work of a proxy', () => {
  const stretch = (kind: 'below' | 'application' | 'proxy', from: number, to: number) => ({ kind, from, to });
  const pieces = [
    stretch('proxy', 0, 1),
    stretch('application', 1, 500),
    stretch('below', 500, 501),
    stretch('application', 501, 1000),
  ];
  expect(drawn(pieces, { from: 0, to: 1000 }, 1)).toEqual([
    { kind: 'proxy', left: 0, width: 1 },
    { kind: 'application', left: 0.1, width: 99.9 },
  ]);
  expect(drawn(pieces, { from: 600, to: 800 }, 1)).toEqual([{ kind: 'application', left: 0, width: 100 }]);
});

test('ten thousand spans: each has a row, each bar is whole, and few boxes are drawn', () => {
  const model = build(large(10_000));
  expect(model.nodes.length).toBeGreaterThan(9_990);
  expect(rowsOf(model, ALL_OPEN)).toHaveLength(model.nodes.length);
  const top = rowsOf(model, { depth: 1, byHand: new Map() });
  expect(top).toHaveLength(1 + (model.nodes[model.roots[0] as number]?.children.length ?? 0));
  const isWhole = model.nodes.map((node) => {
    const pieces = piecesOf(model, node);
    const ends = [node.start, ...pieces.map((piece) => piece.to)];
    const follows = pieces.every((piece, i) => piece.from === ends[i]) && ends.at(-1) === node.end;
    return follows && drawn(pieces, { from: 0, to: model.end }, 0.2).length < 120;
  });
  expect(isWhole.indexOf(false)).toBe(-1);
  const own = pathOf(model, model.roots[0] as number).reduce((sum, step) => sum + step.own, 0);
  expect(own).toBe(model.end);
});

test('hops of the answer find their spans, and none where the two disagree', () => {
  const spans = [
    server('1', null, 'webapp', 0, 100),
    client('2', '1', 'webapp', 10, 90),
    server('3', '2', 'books', 20, 80),
  ];
  const hop = { depth: 0, name: 'GET /', total_ms: 1, client_proxy_ms: 0, client_wait_ms: 0 };
  const rest = { server_proxy_ms: 0, server_wait_ms: 0, on_path_ms: 0 };
  const hops = (count: number) => Array.from({ length: count }, () => ({ ...hop, ...rest }));
  const ids = (count: number) =>
    spansOfHops(build(trace(spans, { hops: hops(count) }))).map((node) => node?.span.span_id);
  expect(ids(2)).toEqual(['1', '2']);
  expect(ids(1)).toEqual([undefined]);
});
