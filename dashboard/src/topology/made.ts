// Answers for tests, made up.

import type { Schema } from '../api/answer';

type ApiEdge = Schema<'Edge'>;

/** `shop/web`, or `outside` for what is not in the mesh: `/mail` by name, `/` without one. */
export function peer(id: string): Schema<'EdgePeer'> {
  const [namespace, name] = id.split('/');
  if (namespace === '') return name ? { name, meshed: false } : { meshed: false };
  return { name: name ?? '', namespace: namespace ?? '', meshed: true };
}

export function golden(rps: number, success = 1, p99 = 10): Schema<'Golden'> {
  const requests = Math.round(rps * 60);
  const successes = Math.round(requests * success);
  return {
    requests,
    started: requests,
    rps,
    successes,
    failures: requests - successes,
    cancelled: 0,
    success_rate: success,
    latency_ms: { p50: p99 / 4, p95: p99 / 2, p99 },
  };
}

export function edge(client: string, server: string, more: Partial<ApiEdge> = {}): ApiEdge {
  return {
    client: peer(client),
    server: peer(server),
    services: [],
    reported_by: 'outbound',
    tls: 'none',
    golden: golden(1),
    ...more,
  };
}

export function workload(id: string, more: Partial<Schema<'WorkloadStat'>> = {}): Schema<'WorkloadStat'> {
  const [namespace = '', name = ''] = id.split('/');
  return { workload: name, namespace, instances: 1, role: 'proxy', ...more };
}
