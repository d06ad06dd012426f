//! A gateway, webapp behind it, and books behind webapp; applications know nothing of tracing.

use clew_model::telemetry::{Sampling, TelemetrySettings};
use clew_proxy::config::IpPrefix;
use clew_testkit::body::Body;
use clew_testkit::client::{Answer, Client, get};
use clew_testkit::collector::Collector;
use clew_testkit::upstream::{Scripted, Seen, ok};
use clew_testkit::{Mesh, Sidecar, within};
use clew_trace::span::SpanKind;
use clew_trace::{Span, SpanId};
use http::{HeaderMap, Request};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Every header that carries trace context, as an application copies them in a few lines.
pub(crate) const CONTEXT: &[&str] = &[
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];

/// Spans of one request through the chain: SERVER and CLIENT of the gateway and of webapp, SERVER of books.
pub(crate) const SPANS: usize = 5;

/// The mesh.
pub(crate) struct Chain {
    pub(crate) mesh: Mesh,
    pub(crate) edge: Sidecar,
    pub(crate) webapp: Sidecar,
    pub(crate) books: Sidecar,
    pub(crate) webapp_application: Scripted,
    pub(crate) books_application: Scripted,
}

/// Loopback: where the tests' clients are.
pub(crate) fn loopback_is_trusted() -> Vec<IpPrefix> {
    vec![IpPrefix {
        address: Ipv4Addr::LOCALHOST.into(),
        bits: 8,
    }]
}

/// Settings with a ratio of roots to keep.
pub(crate) fn sampled(ratio: f64) -> TelemetrySettings {
    TelemetrySettings {
        sampling: Sampling {
            ratio,
            max_per_second: None,
        },
        ..TelemetrySettings::default()
    }
}

/// What one request looked like on its way.
pub(crate) struct Passage {
    pub(crate) answer: Answer,
    /// As webapp got it.
    pub(crate) webapp: Seen,
    /// As books got it.
    pub(crate) books: Seen,
}

impl Chain {
    /// With spans to a collector; clients outside are not trusted.
    pub(crate) async fn begin(settings: TelemetrySettings, collector: &Collector) -> Self {
        Self::to(settings, collector.address(), &[]).await
    }

    /// With spans to an address, and trusted networks.
    pub(crate) async fn to(
        settings: TelemetrySettings,
        collector: SocketAddr,
        trusted: &[IpPrefix],
    ) -> Self {
        let webapp_application = Scripted::start().await;
        let books_application = Scripted::start().await;
        let mesh = Mesh::builder().settings(settings.clone()).begin().await;
        let books = mesh
            .sidecar("books")
            .serves(books_application.address())
            .collector(collector)
            .start()
            .await;
        let webapp = mesh
            .sidecar("webapp")
            .serves(webapp_application.address())
            .calls("books")
            .collector(collector)
            .start()
            .await;
        let edge = mesh
            .sidecar("edge")
            .gateway_that_trusts(&[(None, "/", "webapp")], trusted)
            .collector(collector)
            .start()
            .await;
        let chain = Self {
            mesh,
            edge,
            webapp,
            books,
            webapp_application,
            books_application,
        };
        chain.obeys(&settings).await;
        chain
    }

    /// Changes the settings and waits until all proxies obey them.
    pub(crate) async fn set(&self, settings: TelemetrySettings) {
        self.mesh.set(settings.clone()).await;
        self.obeys(&settings).await;
    }

    async fn obeys(&self, settings: &TelemetrySettings) {
        for sidecar in [&self.edge, &self.webapp, &self.books] {
            sidecar.obeys(settings).await;
        }
    }

    /// One request; webapp copies all headers of context, or none.
    pub(crate) async fn ask(&mut self, request: Request<Body>, copies: bool) -> Passage {
        let mut client = Client::http1(self.edge.gateway()).await;
        let asking = tokio::spawn(async move { client.ask(request).await });
        let mut exchange = self.webapp_application.next().await;
        let webapp = exchange.read().await;
        let mut call = get("http://books/books/7");
        if copies {
            copy(&webapp.headers, call.headers_mut());
        }
        let mut caller = Client::http1(self.webapp.dependency("books")).await;
        let (called, books) = tokio::join!(
            caller.ask(call),
            self.books_application.answer_next(ok("a book"))
        );
        exchange.answer(ok(called.text()));
        let answer = within("the answer from the edge", asking).await.unwrap();
        Passage {
            answer,
            webapp,
            books,
        }
    }

    pub(crate) async fn stop(self) {
        self.mesh.stop().await;
    }
}

fn copy(from: &HeaderMap, to: &mut HeaderMap) {
    for name in CONTEXT {
        for value in from.get_all(*name) {
            to.append(*name, value.clone());
        }
    }
}

/// The span of a workload, of a kind.
pub(crate) fn span_of<'a>(spans: &'a [Span], service: &str, kind: SpanKind) -> &'a Span {
    let mut found = spans
        .iter()
        .filter(|span| span.service == service && span.kind == kind);
    let span = found
        .next()
        .unwrap_or_else(|| panic!("no {} span of {service}", kind.as_str()));
    assert!(
        found.next().is_none(),
        "two {} spans of {service}",
        kind.as_str()
    );
    span
}

/// One trace, and every parent is there. The root.
pub(crate) fn is_whole(spans: &[Span]) -> &Span {
    let by_id: HashMap<SpanId, &Span> = spans.iter().map(|span| (span.span_id, span)).collect();
    assert_eq!(by_id.len(), spans.len(), "an id is used twice");
    let mut roots = Vec::new();
    for span in spans {
        assert_eq!(span.trace_id, spans[0].trace_id, "one trace");
        assert_eq!(span.scope, "clew.proxy");
        match span.parent_span_id {
            None => roots.push(span),
            Some(parent) => {
                let parent = by_id.get(&parent).unwrap_or_else(|| {
                    panic!(
                        "nobody exported the parent of {} of {}",
                        span.name, span.service
                    )
                });
                assert!(parent.start_unix_nano <= span.start_unix_nano);
                assert!(parent.end_unix_nano >= span.start_unix_nano);
            }
        }
    }
    assert_eq!(roots.len(), 1, "one root");
    roots[0]
}
