//! Where spans belong when two of them shared an id (`clew_trace::shared`).

use super::find::Slim;
use clew_trace::shared::parent_of;
use clew_trace::{Span, SpanId};
use std::collections::HashMap;

/// What has to be known of a span to find its place in the tree.
pub(super) trait Placed {
    fn id(&self) -> SpanId;
    fn service(&self) -> &str;
    fn parent(&mut self) -> &mut Option<SpanId>;
}

impl Placed for Slim {
    fn id(&self) -> SpanId {
        self.id
    }
    fn service(&self) -> &str {
        &self.service
    }
    fn parent(&mut self) -> &mut Option<SpanId> {
        &mut self.parent
    }
}

impl Placed for Span {
    fn id(&self) -> SpanId {
        self.span_id
    }
    fn service(&self) -> &str {
        &self.service
    }
    fn parent(&mut self) -> &mut Option<SpanId> {
        &mut self.parent_span_id
    }
}

/// Puts spans below the half of a shared span that their own service wrote. It is found on reading, because a span
/// may come before the half that it belongs below, in another request.
pub(super) fn settle_shared(spans: &mut [impl Placed]) {
    let services: HashMap<SpanId, String> = spans
        .iter()
        .map(|span| (span.id(), span.service().to_owned()))
        .collect();
    let service_of = |id| services.get(&id).map(String::as_str);
    for span in spans {
        let Some(parent) = *span.parent() else {
            continue;
        };
        *span.parent() = Some(parent_of(span.id(), span.service(), parent, service_of));
    }
}
