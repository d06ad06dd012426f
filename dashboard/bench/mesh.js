// A mesh that is made up: the same at every run.

/** @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const ROLES = ['api', 'store', 'worker', 'cache', 'index', 'mailer', 'billing', 'search', 'auth', 'report'];

/**
 * @param {number} rps
 * @param {number} failing share of the requests
 * @param {number} ms
 */
function golden(rps, failing, ms) {
  const requests = Math.max(1, Math.round(rps * 60));
  const failures = Math.round(requests * failing);
  return {
    requests,
    started: requests,
    rps: requests / 60,
    successes: requests - failures,
    failures,
    cancelled: 0,
    success_rate: (requests - failures) / requests,
    latency_ms: { p50: ms, p95: ms * 3, p99: ms * 7 },
    statuses: { 200: requests - failures, 503: failures },
  };
}

/**
 * Answers to `edges` and `stat` of so many workloads, in namespaces of the same size. Most calls stay in a namespace and
 * go from the front to the back; some go anywhere.
 *
 * @param {{ workloads: number, namespaces: number, edges: number, shift?: number }} wanted
 */
export function mesh({ workloads, namespaces, edges, shift = 0 }) {
  const next = random(7);
  const size = Math.ceil(workloads / namespaces);
  const all = Array.from({ length: workloads }, (_, index) => {
    const namespace = `team-${String(Math.floor(index / size) + 1).padStart(2, '0')}`;
    return { name: `${ROLES[index % ROLES.length]}-${index}`, namespace, meshed: true };
  });
  /** @type {Map<string, object>} */
  const made = new Map();
  const add = (client, server) => {
    const id = `${client.namespace}/${client.name}>${server.namespace}/${server.name}`;
    if (client === server || made.has(id)) return;
    const luck = next();
    const failing = luck > 0.985 ? 0.12 : luck > 0.94 ? 0.01 : 0;
    const wave = 1 + 0.4 * Math.sin(shift + made.size);
    const isSecured = client.meshed && server.meshed && next() > 0.08;
    made.set(id, {
      client,
      server,
      services: [server.name],
      reported_by: client.meshed ? 'outbound' : 'inbound',
      golden: golden(wave * 10 ** (next() * 3 - 0.5), failing, 2 + next() * 40),
      between_ms: 0.2 + next(),
      tls: isSecured ? 'mtls' : 'none',
    });
  };
  for (let tries = 0; made.size < edges - namespaces && tries < edges * 20; tries++) {
    const from = Math.floor(next() ** 1.3 * workloads);
    const start = Math.floor(from / size) * size;
    const isNear = next() < 0.86;
    const ahead = from + 1 + Math.floor(next() * (size - (from - start)));
    const to = isNear ? Math.min(ahead, start + size - 1) : Math.floor(next() * workloads);
    const [client, server] = [all[from], all[Math.min(to, workloads - 1)]];
    if (client && server) add(client, server);
  }
  for (let index = 0; made.size < edges && index < namespaces; index++) {
    const first = all[index * size];
    if (!first) continue;
    if (index % 3 === 0) add({ meshed: false }, first);
    else add(first, { name: `partner-${index}.example`, meshed: false });
  }
  const stat = all.map(({ name, namespace }, index) => {
    const luck = next();
    return {
      workload: name,
      namespace,
      role: index % size === 0 ? 'gateway' : 'proxy',
      instances: 1 + Math.floor(next() * 4),
      inbound: { golden: golden(5 + next() * 200, luck > 0.985 ? 0.09 : luck > 0.95 ? 0.004 : 0, 3 + next() * 30) },
      propagation_score: next() > 0.97 ? 0.4 : 1,
    };
  });
  return { edges: [...made.values()], workloads: stat };
}
