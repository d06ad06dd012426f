<?php
// A page that calls the service books, and copies the headers of the trace: php -S 127.0.0.1:$PORT server.php

const TRACE_HEADERS = [
    'traceparent', 'tracestate', 'baggage',
    'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags',
    'uber-trace-id',
    'x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'x-datadog-tags', 'x-datadog-origin',
    'x-amzn-trace-id',
    'grpc-trace-bin',
];

// Those of the request that is served, as lines for the requests that are made for it.
function trace_headers(): array
{
    $lines = [];
    foreach (TRACE_HEADERS as $name) {
        $value = $_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? null;
        if ($value !== null) {
            $lines[] = "$name: $value";
        }
    }
    return $lines;
}

function find_book(string $book): string
{
    $call = stream_context_create(['http' => ['header' => trace_headers()]]);
    return file_get_contents(getenv('CLEW_BOOKS_URL') . "/books/$book", false, $call);
}

header('Content-Type: application/json');
echo find_book(basename($_SERVER['REQUEST_URI']));
