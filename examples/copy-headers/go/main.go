// A server of net/http that calls the service books, and copies the headers of the trace.
//
// The request's context carries them, so that what calls books needs the context alone, which it needs anyway.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

var traceHeaderNames = strings.Fields(`
	traceparent tracestate baggage
	b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
	uber-trace-id
	x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
	x-amzn-trace-id
	grpc-trace-bin
`)

type traceHeaders struct{}

func keepTraceHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), traceHeaders{}, r.Header)))
	})
}

func copyTraceHeaders(ctx context.Context, made http.Header) {
	served, _ := ctx.Value(traceHeaders{}).(http.Header)
	for _, name := range traceHeaderNames {
		for _, value := range served.Values(name) {
			made.Add(name, value)
		}
	}
}

func findBook(ctx context.Context, book string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", os.Getenv("CLEW_BOOKS_URL")+"/books/"+book, nil)
	if err != nil {
		return nil, err
	}
	copyTraceHeaders(ctx, request.Header)
	return http.DefaultClient.Do(request)
}

func page(w http.ResponseWriter, r *http.Request) {
	answer, err := findBook(r.Context(), strings.TrimPrefix(r.URL.Path, "/pages/"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Running on", listener.Addr())
	http.HandleFunc("/pages/", page)
	log.Fatal(http.Serve(listener, keepTraceHeaders(http.DefaultServeMux)))
}
