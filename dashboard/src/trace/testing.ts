// Traces for tests.

import { PROXY_SCOPE, type Span, type Trace } from './model';

export function span(id: string, parent: string | null, kind: string, service: string, from: number, to: number): Span {
  return {
    span_id: id,
    parent_span_id: parent,
    kind,
    service,
    namespace: 'default',
    instance: `${service}-1`,
    name: 'GET /',
    scope: PROXY_SCOPE,
    start: '2026-01-01T00:00:00Z',
    offset_ms: from,
    duration_ms: to - from,
    status: 'unset',
    attributes: { 'clew.direction': kind === 'server' ? 'inbound' : 'outbound' },
    proxy_time: { work_us: 0, wait_us: 0, phases_us: { request: 0 } },
  };
}

export function took(one: Span, work_us: number, wait_us = 0, response_us = 0): Span {
  const phases_us = { request: work_us - response_us, response: response_us, connect: wait_us };
  return { ...one, proxy_time: { work_us, wait_us, phases_us } };
}

export function library(one: Span): Span {
  return { ...one, scope: 'library', proxy_time: null };
}

export function trace(spans: Span[], more: Partial<Trace> = {}): Trace {
  const ends = spans.map((one) => one.offset_ms + one.duration_ms);
  return {
    trace_id: '0123456789abcdef0123456789abcdef',
    state: 'whole',
    start: '2026-01-01T00:00:00Z',
    duration_ms: Math.max(0, ...ends),
    missing_parents: [],
    spans,
    hops: [],
    ...more,
  };
}

/** A trace as wide and as deep as they come: every request calls others, in turns and at once. */
export function large(size: number): Trace {
  const services = ['gateway', 'webapp', 'books', 'authors', 'ratings', 'search', 'prices', 'images', 'users', 'mail'];
  const name = (n: number) => services[n % services.length] as string;
  const spans: Span[] = [span('root', null, 'server', name(0), 0, 10_000)];
  const open: { id: string; service: number; from: number; to: number }[] = [
    { id: 'root', service: 0, from: 0, to: 10_000 },
  ];
  while (spans.length < size && open.length > 0) {
    const above = open.shift() as (typeof open)[number];
    const calls = above.service === 0 ? 40 : 4 + (spans.length % 3);
    const step = (above.to - above.from) / (calls + 1);
    for (let n = 0; n < calls && spans.length + 1 < size; n += 1) {
      const isAtOnce = n % 4 === 3;
      const from = above.from + step * (isAtOnce ? n - 0.5 : n + 0.1);
      const to = from + step * 0.85;
      const callee = above.service + 1 + (n % 3);
      const id = `c${spans.length}`;
      const client = took(span(id, above.id, 'client', name(above.service), from, to), 90, n % 9 === 0 ? 300 : 0, 10);
      const server = took(span(`s${id}`, id, 'server', name(callee), from + step * 0.01, to - step * 0.02), 30, 0, 5);
      const route = `GET /${name(callee)}/{id}`;
      const isBad = spans.length % 97 === 0;
      for (const one of [client, server]) {
        one.name = route;
        if (isBad) {
          one.status = 'error';
          one.attributes = { ...one.attributes, 'http.response.status_code': 503 };
        }
      }
      spans.push(client, server);
      open.push({
        id: server.span_id,
        service: callee,
        from: server.offset_ms,
        to: server.offset_ms + server.duration_ms,
      });
    }
  }
  spans.sort((a, b) => a.offset_ms - b.offset_ms);
  return trace(spans);
}
