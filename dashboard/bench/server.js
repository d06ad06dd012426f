// The built dashboard, with an API in front of a mesh and a trace that are made up:
//   node bench/server.js [port [workloads [namespaces [edges]]]]

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mesh } from './mesh.js';
import { trace } from './trace.js';

const DIST = process.env.CLEW_DIST ?? fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
/** The store of this mesh holds so much. */
const KEPT_MS = 3 * 3_600_000;
const WINDOW = /^(\d+)(s|m|h)$/;
const UNITS = { s: 1000, m: 60_000, h: 3_600_000 };

/** A trace that there is, with so many spans. */
export const TRACE = { id: '0123456789abcdef0123456789abcdef', spans: 10_000 };

/** @param {URLSearchParams} query */
function bounds(query) {
  const now = Date.now();
  const to = Date.parse(query.get('until') ?? '') || now;
  const [, number, unit] = WINDOW.exec(query.get('window') ?? '1m') ?? [];
  const from = Math.max(to - Number(number ?? 1) * UNITS[/** @type {'m'} */ (unit ?? 'm')], now - KEPT_MS);
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), seconds: (to - from) / 1000 };
}

/**
 * @param {{ workloads: number, namespaces: number, edges: number }} size
 * @param {number} port 0: any
 */
export function serve(size, port = 0) {
  const { edges, workloads } = mesh(size);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const json = (/** @type {number} */ status, /** @type {object} */ body) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const window = bounds(url.searchParams);
    const until = url.searchParams.get('until');
    const then = until ? mesh({ ...size, shift: Date.parse(until) / 60_000 }) : { edges, workloads };
    if (url.pathname === '/api/v1/edges') json(200, { window, edges: then.edges });
    else if (url.pathname === '/api/v1/stat') json(200, { window, workloads: then.workloads });
    else if (url.pathname === `/api/v1/traces/${TRACE.id}`) json(200, trace(TRACE.id, TRACE.spans));
    else if (url.pathname === '/api/v1/version') json(200, { version: '0.0.0' });
    else if (url.pathname.startsWith('/api/')) json(404, { title: 'There is no such answer', status: 404 });
    else {
      const path = join(DIST, normalize(url.pathname));
      const file = extname(path) && existsSync(path) ? path : join(DIST, 'index.html');
      const type = TYPES[/** @type {'.js'} */ (extname(file))] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
    }
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [port = 5190, workloads = 1000, namespaces = 25, edges = 5000] = process.argv.slice(2).map(Number);
  await serve({ workloads, namespaces, edges }, port);
  process.stdout.write(`http://127.0.0.1:${port}/topology\n`);
}
