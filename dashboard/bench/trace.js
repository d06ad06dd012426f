// A large trace that is made up: the same at every run.

const SERVICES = ['web', 'books', 'authors', 'ratings', 'search', 'prices', 'images', 'users', 'mail', 'stock'];
const WHOLE_MS = 10_000;

/**
 * Spans of a request that makes forty others, each of which makes some more, until there are so many. Those of one
 * request follow each other.
 *
 * @param {number} size
 * @returns {{ id: string, parent: string | undefined, service: string, isClient: boolean, from: number, to: number }[]}
 */
export function spansOf(size) {
  const id = (/** @type {number} */ place) => (place + 1).toString(16).padStart(16, '0');
  const spans = [{ id: id(0), parent: undefined, service: SERVICES[0], isClient: false, from: 0, to: WHOLE_MS }];
  for (let above = 0; spans.length < size; above++) {
    const { id: parent, isClient, from, to } = spans[above];
    // What a client's span has below it is the server's.
    const calls = isClient ? 1 : above === 0 ? 40 : 3 + (above % 4);
    const step = (to - from) / (calls + 1);
    for (let call = 0; call < calls && spans.length < size; call++) {
      const service = isClient ? SERVICES[(above * 7 + 3) % SERVICES.length] : spans[above].service;
      const start = from + step * (call + 0.2);
      spans.push({ id: id(spans.length), parent, service, isClient: !isClient, from: start, to: start + step * 0.9 });
    }
  }
  return spans;
}

/** The answer of `GET traces/{id}`. */
export function trace(/** @type {string} */ traceId, /** @type {number} */ size) {
  const start = '2026-01-01T00:00:00Z';
  const spans = spansOf(size).map(({ id, parent, service, isClient, from, to }) => ({
    span_id: id,
    parent_span_id: parent,
    kind: isClient ? 'client' : 'server',
    service,
    namespace: 'default',
    name: `GET /${service}/{id}`,
    scope: 'bench',
    start,
    offset_ms: from,
    duration_ms: to - from,
    status: 'unset',
    attributes: { 'http.request.method': 'GET', 'http.route': `/${service}/{id}` },
  }));
  return { trace_id: traceId, start, duration_ms: WHOLE_MS, missing_parents: [], spans, hops: [] };
}
