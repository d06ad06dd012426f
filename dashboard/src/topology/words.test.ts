import { expect, test } from 'vitest';
import { edge, golden, workload } from './made';
import { graphOf } from './model';
import { edgeCommand, edgesCommand, edgeWords, nodeWords, routesCommand, tlsWords } from './words';

const graph = graphOf(
  [
    edge('/', 'shop/web', { golden: golden(40, 0.9) }),
    edge('shop/web', 'data/books', { tls: 'mtls' }),
    edge('shop/web', '/mail'),
  ],
  [workload('shop/web', { propagation_score: 0.1, inbound: { golden: golden(40, 0.9) } }), workload('data/books')],
);
const node = (id: string) => graph.nodes.get(id);
const one = { flags: ' --window 5m', hasNamespaces: false };
const more = { flags: '', hasNamespaces: true };

test('each node and each edge has the command that says the same', () => {
  expect(edgesCommand(undefined, one)).toBe('clew edges --window 5m');
  expect(edgesCommand(node('data/books'), one)).toBe('clew edges books --window 5m');
  expect(edgesCommand(node('data/books'), more)).toBe('clew edges books -n data');
  expect(edgeCommand(node('shop/web'), node('/mail'), more)).toBe('clew edges -o wide web -n shop');
  expect(routesCommand(node('/'), node('shop/web'), one)).toBe("clew routes web --from '(unmeshed)' --window 5m");
  expect(routesCommand(node('shop/web'), node('/mail'), more)).toBe('clew routes web --to mail -n shop');
  expect(routesCommand(node('shop/web'), node('data/books'), more)).toBe('clew routes books --from web -n data');
});

test('names that a shell would take apart are quoted', () => {
  const odd = graphOf([], [workload("a/it's one")]).nodes.get("a/it's one");
  expect(edgesCommand(odd, { flags: '', hasNamespaces: false })).toBe("clew edges 'it'\\''s one'");
});

test('the picture is told in words', () => {
  const web = node('shop/web');
  expect(web && nodeWords(web, graph)).toBe(
    'web, workload in shop, failing, 90.00% success, 40.0 requests a second, breaks traces. Calls 2, called by 1.',
  );
  const [first, second] = graph.edges;
  expect(first && edgeWords(first, graph.nodes)).toBe(
    'outside clients calls web: failing, 40.0 requests a second, 90.00% success, p99 10.0 ms, not secured.',
  );
  expect(second && tlsWords(second.tls, second.members)).toBe('mTLS');
});
