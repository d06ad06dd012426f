#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

#[test]
fn zero_is_no_id() {
    assert_eq!(TraceId::from_bytes([0; 16]), None);
    assert_eq!(SpanId::from_bytes([0; 8]), None);
    assert_eq!(
        "00000000000000000000000000000000".parse::<TraceId>(),
        Err(ParseIdError::Zero)
    );
    assert_eq!(
        "0000000000000000".parse::<SpanId>(),
        Err(ParseIdError::Zero)
    );
}

#[test]
fn an_optional_span_id_costs_nothing() {
    assert_eq!(size_of::<Option<SpanId>>(), size_of::<SpanId>());
    assert_eq!(size_of::<Option<TraceId>>(), size_of::<TraceId>());
}

#[test]
fn a_64_bit_trace_id_is_one_with_a_zero_upper_half() {
    let id: TraceId = "a3ce929d0e0e4736".parse().unwrap();
    assert_eq!(id.to_string(), "0000000000000000a3ce929d0e0e4736");
    assert_eq!((id.high64(), id.low64()), (0, 0xa3ce_929d_0e0e_4736));
}

#[test]
fn what_is_no_id_is_told_apart() {
    assert!(matches!(
        "abc".parse::<TraceId>(),
        Err(ParseIdError::Length { given: 3, .. })
    ));
    assert!(matches!(
        "".parse::<SpanId>(),
        Err(ParseIdError::Length { given: 0, .. })
    ));
    assert_eq!(
        "g3ce929d0e0e4736".parse::<SpanId>(),
        Err(ParseIdError::Digit)
    );
    assert!("\u{e9}3ce929d0e0e47".parse::<SpanId>().is_err());
}

proptest! {
    #[test]
    fn text_and_bytes_and_serde_give_the_id_back(trace in 1u128.., span in 1u64..) {
        let (trace, span) = (TraceId::new(trace).unwrap(), SpanId::new(span).unwrap());
        prop_assert_eq!(trace.to_string().parse(), Ok(trace));
        prop_assert_eq!(span.to_string().to_uppercase().parse(), Ok(span));
        prop_assert_eq!(TraceId::from_bytes(trace.to_bytes()), Some(trace));
        prop_assert_eq!(SpanId::from_bytes(span.to_bytes()), Some(span));
        let json = serde_json::to_string(&(trace, span)).unwrap();
        prop_assert_eq!(&json, &format!("[\"{trace}\",\"{span}\"]"));
        prop_assert_eq!(serde_json::from_str::<(TraceId, SpanId)>(&json).unwrap(), (trace, span));
    }

    #[test]
    fn parsing_never_panics(text in ".{0,40}") {
        let _ = text.parse::<TraceId>();
        let _ = text.parse::<SpanId>();
    }
}
