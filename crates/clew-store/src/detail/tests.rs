#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use clew_trace::span::{SpanKind, SpanStatus};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        ".{0,20}".prop_map(AttributeValue::String),
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<i64>().prop_map(AttributeValue::Int),
        (-1e300..1e300).prop_map(AttributeValue::Double),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(AttributeValue::Bytes),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::Array),
            prop::collection::vec((".{0,9}", inner), 0..4).prop_map(AttributeValue::Map),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    prop::collection::vec((".{0,12}", value()), 0..6)
}

fn span() -> impl Strategy<Value = Span> {
    (
        attributes(),
        attributes(),
        attributes(),
        ".{0,9}",
        any::<u64>(),
    )
        .prop_map(|(attributes, resource, of_others, text, time)| Span {
            trace_id: TraceId::new(1).unwrap(),
            span_id: SpanId::new(1).unwrap(),
            parent_span_id: None,
            kind: SpanKind::Server,
            name: text.clone(),
            service: text.clone(),
            namespace: text.clone(),
            instance: text.clone(),
            scope: text.clone(),
            start_unix_nano: time,
            end_unix_nano: time,
            status: SpanStatus::Unset,
            status_message: String::new(),
            trace_state: text.clone(),
            attributes,
            resource: resource.into(),
            events: vec![SpanEvent {
                time_unix_nano: time,
                name: text,
                attributes: of_others.clone(),
            }],
            links: vec![SpanLink {
                trace_id: TraceId::new(u128::MAX).unwrap(),
                span_id: SpanId::new(u64::MAX).unwrap(),
                attributes: of_others,
            }],
        })
}

/// Every other name has a number.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn number(&mut self, name: &str) -> Option<i64> {
        if name.len().is_multiple_of(2) {
            return None;
        }
        let known = self.0.iter().position(|known| known == name);
        let position = known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        i64::try_from(position + 1).ok()
    }

    fn name(&self, number: i64) -> Option<String> {
        self.0.get(usize::try_from(number).ok()? - 1).cloned()
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(span in span()) {
        let mut names = Names::default();
        let bytes = write(&span, &mut |name| Ok(names.number(name))).unwrap();
        let origin = write_origin(&span, &mut |name| Ok(names.number(name))).unwrap();
        let detail = read(&bytes, &mut |number| names.name(number)).unwrap();
        prop_assert_eq!(detail.attributes, span.attributes);
        prop_assert_eq!(detail.events, span.events);
        prop_assert_eq!(detail.links, span.links);
        prop_assert_eq!(detail.trace_state, span.trace_state);
        let origin = read_origin(&origin, &mut |number| names.name(number)).unwrap();
        prop_assert_eq!(origin.resource.as_slice(), &*span.resource);
        prop_assert_eq!(origin.namespace, span.namespace);
        prop_assert_eq!(origin.instance, span.instance);
        prop_assert_eq!(origin.scope, span.scope);
    }

    /// A damaged file is an answer and no crash.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &mut |_| Some(String::new()));
        let _ = read_origin(&bytes, &mut |_| None);
    }
}
