// An Express application that calls the service books with fetch, and copies the headers of the trace.
'use strict';

const express = require('express');

// W3C Trace Context, and the two forms of B3.
const HEADERS = [
  'traceparent', 'tracestate', 'baggage',
  'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags',
];

// The headers of a request that is being served, for the requests that are made for it.
function context(request) {
  const present = HEADERS.filter((name) => request.get(name) !== undefined);
  return Object.fromEntries(present.map((name) => [name, request.get(name)]));
}

const app = express();

app.get('/pages/:book', async (request, response) => {
  const url = `${process.env.CLEW_BOOKS_URL}/books/${request.params.book}`;
  const answer = await fetch(url, { headers: context(request) });
  response.status(answer.status).json({ page: await answer.json() });
});

// Sends back what it gets, as it comes.
app.post('/echo', (request, response) => {
  request.pipe(response);
});

const host = process.env.HOST ?? '127.0.0.1';
app.listen(Number(process.env.PORT), host, (error) => {
  if (error) throw error;
  console.log(`Running on ${host}:${process.env.PORT}`);
});
