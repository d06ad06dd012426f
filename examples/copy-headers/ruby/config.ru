# A Rack application that calls the service books with Net::HTTP, and copies the headers of the trace:
#
#     rackup --host 127.0.0.1 --port $PORT config.ru
#
# A variable of the fiber carries them, so that what calls books needs not be handed the request that is served.

require "net/http"

TRACE_HEADERS = %w[
  traceparent tracestate baggage
  b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
  uber-trace-id
  x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
  x-amzn-trace-id
  grpc-trace-bin
]

class KeepTraceHeaders
  def initialize(app)
    @app = app
  end

  def call(env)
    served = TRACE_HEADERS.to_h { |name| [name, env["HTTP_#{name.upcase.tr("-", "_")}"]] }
    Thread.current[:trace_headers] = served.compact
    @app.call(env)
  end
end

def find_book(book)
  url = URI("#{ENV.fetch("CLEW_BOOKS_URL")}/books/#{book}")
  Net::HTTP.get_response(url, Thread.current[:trace_headers])
end

use KeepTraceHeaders
run(lambda do |env|
  answer = find_book(env["PATH_INFO"].delete_prefix("/pages/"))
  [answer.code.to_i, { "content-type" => "application/json" }, [answer.body]]
end)
