// An Express application that copies no headers, and calls the service books with node:http: what instrumented.js
// instruments.
'use strict';

const http = require('node:http');
const express = require('express');

const app = express();

app.get('/shelves/:shelf', (request, response, next) => {
  http.get(`${process.env.CLEW_BOOKS_URL}/books/${request.params.shelf}`, (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (piece) => { text += piece; });
    answer.on('end', () => {
      response.status(answer.statusCode).json({ shelf: request.params.shelf, book: JSON.parse(text) });
    });
  }).on('error', next);
});

const host = process.env.HOST ?? '127.0.0.1';
app.listen(Number(process.env.PORT), host, (error) => {
  if (error) throw error;
  console.log(`Running on ${host}:${process.env.PORT}`);
});
