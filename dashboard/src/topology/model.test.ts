import { expect, test } from 'vitest';
import { edge, golden, workload } from './made';
import { breaksTraces, covers, graphOf, sum, worstFirst } from './model';

test('nodes are workloads and whoever else edges name', () => {
  const { nodes, edges } = graphOf(
    [edge('/', 'shop/web'), edge('shop/web', '/mail.example'), edge('shop/web', 'shop/gone')],
    [workload('shop/web', { role: 'gateway' }), workload('shop/idle')],
  );
  expect([...nodes.values()].map(({ id, kind, name, namespace }) => [id, kind, name, namespace])).toEqual([
    ['shop/web', 'gateway', 'web', 'shop'],
    ['shop/idle', 'workload', 'idle', 'shop'],
    ['/', 'outside', 'outside clients', undefined],
    ['/mail.example', 'outside', 'mail.example', undefined],
    ['shop/gone', 'workload', 'gone', 'shop'],
  ]);
  expect(edges.map((one) => one.id)).toEqual(['/>shop/web', 'shop/web>/mail.example', 'shop/web>shop/gone']);
});

test('a node that has no numbers of its own has those of the edges to it', () => {
  const calls = [edge('a/x', '/mail', { golden: golden(2, 0.5) }), edge('a/y', '/mail', { golden: golden(6) })];
  const mail = graphOf(calls, []).nodes.get('/mail');
  expect(mail?.numbers).toMatchObject({ rps: 8, success: 0.875 });
  expect(mail?.health).toBe('bad');
});

test('a sum weighs by requests, and its latency is the worst', () => {
  const all = sum([
    { rps: 1, successes: 60, failures: 0, success: 1, p99: 4 },
    null,
    { rps: 3, successes: 90, failures: 90, success: 0.5, p99: 9 },
  ]);
  expect(all).toEqual({ rps: 4, successes: 150, failures: 90, success: 0.625, p99: 9 });
  expect(sum([])).toMatchObject({ rps: 0, success: null, p99: null });
});

test('a namespace covers its workloads, and not those of one whose name begins like it', () => {
  const node = { id: 'shop/web', namespace: 'shop' };
  expect(['shop/web', 'shop/', 'sho/', 'shop/we', '/'].map((id) => covers(id, node))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('what breaks traces is told by its score', () => {
  const { nodes } = graphOf([], [workload('a/x', { propagation_score: 0.2 }), workload('a/y')]);
  expect([...nodes.values()].map(breaksTraces)).toEqual([true, false]);
});

test('the worst edge comes first, then the busiest', () => {
  const { edges } = graphOf(
    [
      edge('a/x', 'a/y', { golden: golden(1) }),
      edge('a/x', 'a/z', { golden: golden(9) }),
      edge('a/y', 'a/z', { golden: golden(1, 0.5) }),
    ],
    [],
  );
  expect([...edges].sort(worstFirst).map((one) => one.id)).toEqual(['a/y>a/z', 'a/x>a/z', 'a/x>a/y']);
});
