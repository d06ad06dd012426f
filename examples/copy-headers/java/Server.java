import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.Executors;

/** A server of the JDK's own that calls the service books with its HttpClient, and copies the headers of the trace. */
public class Server {
    static final List<String> TRACE_HEADERS = List.of("""
        traceparent tracestate baggage
        b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
        uber-trace-id
        x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
        x-amzn-trace-id
        grpc-trace-bin
        """.strip().split("\\s+"));

    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static void copyTraceHeaders(HttpExchange served, HttpRequest.Builder made) {
        for (String name : TRACE_HEADERS) {
            for (String value : served.getRequestHeaders().getOrDefault(name, List.of())) {
                made.header(name, value);
            }
        }
    }

    static HttpResponse<byte[]> findBook(HttpExchange served, String book) throws IOException, InterruptedException {
        URI address = URI.create(System.getenv("CLEW_BOOKS_URL") + "/books/" + book);
        HttpRequest.Builder made = HttpRequest.newBuilder(address);
        copyTraceHeaders(served, made);
        return CLIENT.send(made.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    static void page(HttpExchange served) throws IOException {
        try (served) {
            String path = served.getRequestURI().getPath();
            HttpResponse<byte[]> answer = findBook(served, path.substring("/pages/".length()));
            served.sendResponseHeaders(answer.statusCode(), answer.body().length);
            served.getResponseBody().write(answer.body());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/pages/", Server::page);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        System.out.println("Running on " + port);
    }
}
