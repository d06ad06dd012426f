//! Collectors of spans: one that takes them and shows them to the test, and ones that do not.

use crate::within;
use clew_api::otlp::{
    ExportTraceServiceRequest, ExportTraceServiceResponse, TraceService, TraceServiceServer,
    spans_from_otlp,
};
use clew_trace::Span;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Requests that wait for a test to look at them.
const WAITING: usize = 4_096;

/// What a collector does with spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Takes them.
    Takes,
    /// Refuses them for good.
    Refuses,
    /// Accepts connections and requests, and never answers.
    Freezes,
}

/// A collector: OTLP over gRPC.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    /// Spans of each request, whatever becomes of it.
    requests: mpsc::Receiver<Vec<Span>>,
    spans: Vec<Span>,
    serving: AbortHandle,
}

impl Collector {
    /// A collector that takes spans.
    pub async fn start() -> Self {
        Self::with(Manners::Takes).await
    }

    /// A collector with these manners.
    pub async fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind(crate::address::loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel(WAITING);
        let service = TraceServiceServer::new(Service { manners, sender });
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            address,
            requests,
            spans: Vec::new(),
            serving: serving.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The spans of the next request.
    pub async fn next(&mut self) -> &[Span] {
        let spans = within("spans at the collector", self.requests.recv())
            .await
            .expect("the collector serves");
        let before = self.spans.len();
        self.spans.extend(spans);
        &self.spans[before..]
    }

    /// All spans that came, once there are as many. More are a failure of the test.
    pub async fn exactly(&mut self, count: usize) -> Vec<Span> {
        while self.spans.len() < count {
            let awaited = format!("{count} spans; there are {:#?}", Names(&self.spans));
            let spans = within(&awaited, self.requests.recv())
                .await
                .expect("the collector serves");
            self.spans.extend(spans);
        }
        assert_eq!(
            self.spans.len(),
            count,
            "more spans than there should be: {:#?}",
            Names(&self.spans)
        );
        std::mem::take(&mut self.spans)
    }

    /// Spans that came and that the test has not taken. To be asked when everyone who sends has ended.
    pub fn rest(&mut self) -> Vec<Span> {
        while let Ok(spans) = self.requests.try_recv() {
            self.spans.extend(spans);
        }
        std::mem::take(&mut self.spans)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Shows spans in a line each.
struct Names<'a>(&'a [Span]);

impl std::fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = |span: &Span| format!("{} {} {}", span.service, span.kind.as_str(), span.name);
        f.debug_list().entries(self.0.iter().map(line)).finish()
    }
}

struct Service {
    manners: Manners,
    sender: mpsc::Sender<Vec<Span>>,
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let received = spans_from_otlp(request.into_inner().resource_spans);
        assert_eq!(received.rejected, 0, "{:?}", received.reason);
        let response = received.response();
        // A test that does not look any more does not mind.
        let _ = self.sender.send(received.spans).await;
        match self.manners {
            Manners::Takes => Ok(Response::new(response)),
            Manners::Refuses => Err(Status::invalid_argument("this collector wants no spans")),
            Manners::Freezes => std::future::pending().await,
        }
    }
}
