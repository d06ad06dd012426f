import { expect, test } from 'vitest';
import type { Schema } from '../api/answer';
import { arms } from './Octopus';

const peer = (name: string | null, namespace = 'shop') => ({ name, namespace, meshed: name !== null });
const edge = (client: ReturnType<typeof peer>, server: ReturnType<typeof peer>, rps: number) =>
  ({ client, server, golden: { rps, success_rate: 1 } }) as unknown as Schema<'Edge'>;

const edges = [
  edge(peer('webapp'), peer('books'), 5),
  edge(peer(null), peer('books'), 9),
  edge(peer('books'), peer('authors'), 1),
  edge(peer('books', 'other'), peer('authors'), 1),
  edge(peer('webapp'), peer('ratings'), 2),
];
const names = (side: 'client' | 'server') => arms(edges, 'shop', 'books', side).map((arm) => arm.peer.name);

test('clients and servers of this workload alone, the busiest first', () => {
  expect(names('client')).toEqual([null, 'webapp']);
  expect(names('server')).toEqual(['authors']);
});
