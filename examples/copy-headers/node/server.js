// A server of node:http that calls the service books with fetch, and copies the headers of the trace.
//
// AsyncLocalStorage carries them, so that what calls books needs not be handed the request that is served.
'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const http = require('node:http');

const TRACE_HEADERS = `
  traceparent tracestate baggage
  b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
  uber-trace-id
  x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
  x-amzn-trace-id
  grpc-trace-bin
`.trim().split(/\s+/);

const traceHeaders = new AsyncLocalStorage();

function keepTraceHeaders(request, serve) {
  const present = TRACE_HEADERS.filter((name) => name in request.headers);
  traceHeaders.run(Object.fromEntries(present.map((name) => [name, request.headers[name]])), serve);
}

function findBook(book) {
  return fetch(`${process.env.CLEW_BOOKS_URL}/books/${book}`, { headers: traceHeaders.getStore() });
}

async function page(request, response) {
  const answer = await findBook(request.url.split('/').pop());
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(await answer.text());
}

const server = http.createServer((request, response) => {
  keepTraceHeaders(request, () => page(request, response).catch((error) => response.destroy(error)));
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`Running on ${process.env.PORT}`));
