#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::id::{SpanId, TraceId};
use http::HeaderValue;
use proptest::prelude::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

fn read(pairs: &[(&str, &str)]) -> Extracted {
    extract(&headers(pairs))
}

fn written(context: &TraceContext, families: FamilySet) -> HeaderMap {
    let mut headers = HeaderMap::new();
    inject(&mut headers, context, families);
    headers
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// A `traceparent` with one part replaced.
fn parent(version: &str, trace: &str, span: &str, rest: &str) -> String {
    format!("{version}-{trace}-{span}-{rest}")
}

mod w3c {
    use super::*;

    fn usable(value: &str) -> Option<TraceContext> {
        read(&[("traceparent", value)]).context
    }

    fn refused(value: &str) -> Malformed {
        let extracted = read(&[("traceparent", value)]);
        assert!(extracted.is_mangled(), "{value}");
        extracted.unusable.unwrap().1
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let context = usable(&parent("00", TRACE, SPAN, "01")).unwrap();
        assert_eq!(context.trace_id, TRACE.parse().unwrap());
        assert_eq!(context.span_id, SPAN.parse().unwrap());
        assert_eq!(context.decision, Decision::Sampled);
        assert!(!context.random);
    }

    #[test]
    fn flags_that_are_not_defined_are_ignored_and_not_sent_on() {
        let context = usable(&parent("00", TRACE, SPAN, "fe")).unwrap();
        assert_eq!(context.decision, Decision::NotSampled);
        assert!(context.random);
        let sent = &written(&context, FamilySet::EMPTY)["traceparent"];
        assert_eq!(sent, &parent("00", TRACE, SPAN, "02"));
    }

    #[test]
    fn later_versions_are_read_by_their_prefix() {
        assert!(usable(&parent("cc", TRACE, SPAN, "01")).is_some());
        assert!(usable(&parent("cc", TRACE, SPAN, "01-what-the-future-brings")).is_some());
        assert!(usable(&parent("01", TRACE, SPAN, "01-")).is_some());
        assert_eq!(
            refused(&parent("cc", TRACE, SPAN, "01.what")),
            Malformed::Form
        );
        assert_eq!(refused(&parent("cc", TRACE, SPAN, "012")), Malformed::Form);
    }

    #[test]
    fn version_00_ends_where_it_ends() {
        assert_eq!(
            refused(&parent("00", TRACE, SPAN, "01-more")),
            Malformed::Form
        );
        assert_eq!(refused(&parent("00", TRACE, SPAN, "011")), Malformed::Form);
        assert_eq!(refused(&parent("00", TRACE, SPAN, "1")), Malformed::Form);
    }

    #[test]
    fn what_is_invalid_is_refused_with_its_reason() {
        assert_eq!(
            refused(&parent("ff", TRACE, SPAN, "01")),
            Malformed::Version
        );
        assert_eq!(
            refused(&parent("0x", TRACE, SPAN, "01")),
            Malformed::Version
        );
        assert_eq!(
            refused(&parent("00", &"0".repeat(32), SPAN, "01")),
            Malformed::ZeroId
        );
        assert_eq!(
            refused(&parent("00", TRACE, &"0".repeat(16), "01")),
            Malformed::ZeroId
        );
        assert_eq!(
            refused(&parent("00", &TRACE.to_uppercase(), SPAN, "01")),
            Malformed::TraceId
        );
        assert_eq!(
            refused(&parent("00", TRACE, &SPAN.to_uppercase(), "01")),
            Malformed::SpanId
        );
        assert_eq!(refused(&parent("00", TRACE, SPAN, "0X")), Malformed::Flags);
        assert_eq!(refused(&parent("00", TRACE, SPAN, "0A")), Malformed::Flags);
        assert_eq!(
            refused(&parent("00", &TRACE[1..], SPAN, "01")),
            Malformed::Form
        );
        assert_eq!(
            refused(&parent("00", &TRACE[1..], SPAN, "01-")),
            Malformed::Form
        );
        assert_eq!(refused(""), Malformed::Form);
    }

    #[test]
    fn two_traceparents_are_none() {
        let value = parent("00", TRACE, SPAN, "01");
        let twice = read(&[("traceparent", &value), ("traceparent", &value)]);
        assert_eq!(twice.unusable, Some((Family::W3c, Malformed::Duplicate)));
        assert_eq!(twice.context, None);
    }

    #[test]
    fn tracestate_alone_is_no_context_and_a_bad_one_does_not_break_the_trace() {
        assert!(read(&[("tracestate", "a=1")]).is_absent());
        let value = parent("00", TRACE, SPAN, "01");
        let extracted = read(&[("traceparent", &value), ("tracestate", "BAD")]);
        assert!(extracted.context.unwrap().state.is_empty());
    }

    #[test]
    fn tracestate_is_sent_on_as_one_header_and_a_stale_one_is_removed() {
        let value = parent("00", TRACE, SPAN, "01");
        let mut request = headers(&[
            ("traceparent", &value),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]);
        let context = extract(&request).context.unwrap();
        inject(&mut request, &context, FamilySet::EMPTY);
        assert_eq!(
            request.get_all("tracestate").iter().collect::<Vec<_>>(),
            ["a=1,b=2"]
        );

        let root = TraceContext::root(context.trace_id, context.span_id, Decision::Sampled);
        inject(&mut request, &root, FamilySet::EMPTY);
        assert!(!request.contains_key("tracestate"));
        assert_eq!(request["traceparent"], parent("00", TRACE, SPAN, "03"));
    }
}

mod b3 {
    use super::*;

    fn single(value: &str) -> Extracted {
        read(&[("b3", value)])
    }

    #[test]
    fn a_single_header_is_read_in_all_its_forms() {
        let deferred = single(&format!("{TRACE}-{SPAN}")).context.unwrap();
        assert_eq!(deferred.trace_id, TRACE.parse().unwrap());
        assert_eq!(deferred.span_id, SPAN.parse().unwrap());
        assert_eq!(deferred.decision, Decision::Deferred);

        let sampled = single(&format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90"))
            .context
            .unwrap();
        assert_eq!(sampled.decision, Decision::Sampled);
        assert_eq!(sampled.parent_span_id, "05e3ac9a4f6e3b90".parse().ok());

        let debug = single(&format!("{TRACE}-{SPAN}-d")).context.unwrap();
        assert_eq!((debug.decision, debug.debug), (Decision::Sampled, true));

        let narrow = single(&format!("{}-{SPAN}-0", &TRACE[16..]))
            .context
            .unwrap();
        assert_eq!(narrow.trace_id.high64(), 0);
        assert_eq!(narrow.decision, Decision::NotSampled);
    }

    #[test]
    fn a_decision_may_come_alone() {
        for (value, decision) in [
            ("0", Decision::NotSampled),
            ("1", Decision::Sampled),
            ("d", Decision::Sampled),
        ] {
            let extracted = single(value);
            assert_eq!(
                (extracted.context.clone(), extracted.decision()),
                (None, decision)
            );
            assert_eq!(extracted.families, FamilySet::only(Family::B3Single));
            assert!(!extracted.is_mangled());
        }
        assert_eq!(
            read(&[("x-b3-sampled", "0")]).decision(),
            Decision::NotSampled
        );
        assert_eq!(read(&[("x-b3-flags", "1")]).decision(), Decision::Sampled);
    }

    #[test]
    fn a_single_header_that_is_cut_or_grown_is_refused() {
        let zero = "0".repeat(16);
        for (value, malformed) in [
            (String::new(), Malformed::Flags),
            ("2".to_owned(), Malformed::Flags),
            ("true".to_owned(), Malformed::Flags),
            (TRACE.to_owned(), Malformed::Flags),
            (format!("{TRACE}-"), Malformed::SpanId),
            (format!("{TRACE}-{}", &SPAN[1..]), Malformed::SpanId),
            (format!("{}-{SPAN}", &TRACE[1..]), Malformed::TraceId),
            (format!("{TRACE}-{zero}-1"), Malformed::ZeroId),
            (format!("{zero}-{SPAN}-1"), Malformed::ZeroId),
            (format!("{TRACE}-{SPAN}-x"), Malformed::Flags),
            (format!("{TRACE}-{SPAN}-"), Malformed::Flags),
            (format!("{TRACE}-{SPAN}-1-{SPAN}-1"), Malformed::Form),
            ("z".repeat(69), Malformed::Form),
        ] {
            let extracted = single(&value);
            assert_eq!(
                extracted.unusable,
                Some((Family::B3Single, malformed)),
                "{value}"
            );
            assert!(extracted.is_mangled());
        }
    }

    #[test]
    fn many_headers_are_read() {
        let context = read(&[
            ("X-B3-TraceId", TRACE),
            ("X-B3-SpanId", SPAN),
            ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
            ("X-B3-Sampled", "1"),
        ])
        .context
        .unwrap();
        assert_eq!(context.parent_span_id, "05e3ac9a4f6e3b90".parse().ok());
        assert_eq!(
            (context.decision, context.debug),
            (Decision::Sampled, false)
        );
    }

    #[test]
    fn sampling_words_of_old_tracers_are_understood() {
        let decision = |name, value| {
            read(&[
                ("x-b3-traceid", TRACE),
                ("x-b3-spanid", SPAN),
                (name, value),
            ])
            .decision()
        };
        assert_eq!(decision("x-b3-sampled", "true"), Decision::Sampled);
        assert_eq!(decision("x-b3-sampled", "False"), Decision::NotSampled);
        assert_eq!(decision("x-b3-flags", "1"), Decision::Sampled);
        assert_eq!(decision("x-b3-flags", "0"), Decision::Deferred);
    }

    #[test]
    fn ids_without_leading_zeros_are_understood() {
        let context = read(&[("x-b3-traceid", "1A2b"), ("x-b3-spanid", "3c")])
            .context
            .unwrap();
        assert_eq!(
            (context.trace_id.get(), context.span_id.get()),
            (0x1a2b, 0x3c)
        );
    }

    #[test]
    fn many_headers_that_do_not_fit_together_are_refused() {
        for (pairs, malformed) in [
            (&[("x-b3-traceid", TRACE)][..], Malformed::Incomplete),
            (
                &[("x-b3-spanid", SPAN), ("x-b3-sampled", "1")],
                Malformed::Incomplete,
            ),
            (
                &[("x-b3-traceid", TRACE), ("x-b3-spanid", TRACE)],
                Malformed::SpanId,
            ),
            (
                &[("x-b3-traceid", "xyz"), ("x-b3-spanid", SPAN)],
                Malformed::TraceId,
            ),
            (
                &[("x-b3-traceid", ""), ("x-b3-spanid", SPAN)],
                Malformed::TraceId,
            ),
            (
                &[("x-b3-traceid", "0"), ("x-b3-spanid", SPAN)],
                Malformed::ZeroId,
            ),
            (&[("x-b3-sampled", "maybe")], Malformed::Flags),
            (
                &[("x-b3-sampled", "1"), ("x-b3-sampled", "0")],
                Malformed::Duplicate,
            ),
        ] {
            assert_eq!(
                read(pairs).unusable,
                Some((Family::B3Multi, malformed)),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_parent_that_cannot_be_read_does_not_break_the_trace() {
        let context = single(&format!("{TRACE}-{SPAN}-1-0000000000000000"))
            .context
            .unwrap();
        assert_eq!(context.parent_span_id, None);
        let context = read(&[
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("x-b3-parentspanid", "?"),
        ]);
        assert_eq!(context.context.unwrap().parent_span_id, None);
    }

    #[test]
    fn a_64_bit_id_goes_out_as_it_came_in_and_as_w3c_with_zeros() {
        let narrow = &TRACE[16..];
        let mut request = headers(&[("b3", &format!("{narrow}-{SPAN}-1"))]);
        let extracted = extract(&request);
        inject(
            &mut request,
            &extracted.context.unwrap(),
            extracted.families,
        );
        assert_eq!(request["b3"], format!("{narrow}-{SPAN}-1"));
        assert_eq!(
            request["traceparent"],
            format!("00-0000000000000000{narrow}-{SPAN}-01")
        );
    }

    #[test]
    fn headers_of_an_earlier_span_do_not_stay() {
        let mut request = headers(&[
            ("x-b3-traceid", TRACE),
            ("x-b3-spanid", SPAN),
            ("x-b3-parentspanid", SPAN),
            ("x-b3-sampled", "1"),
            ("x-b3-sampled", "0"),
        ]);
        let mut root = TraceContext::root(
            TraceId::new(7).unwrap(),
            SpanId::new(8).unwrap(),
            Decision::Sampled,
        );
        root.debug = true;
        inject(&mut request, &root, FamilySet::only(Family::B3Multi));
        assert_eq!(request["x-b3-traceid"], "0000000000000007");
        assert_eq!(request["x-b3-flags"], "1");
        assert!(!request.contains_key("x-b3-sampled"));
        assert!(!request.contains_key("x-b3-parentspanid"));
        root.debug = false;
        inject(&mut request, &root, FamilySet::only(Family::B3Multi));
        assert_eq!(request["x-b3-sampled"], "1");
        assert!(!request.contains_key("x-b3-flags"));
    }
}

/// What a family of one header makes of a value.
fn alone(header: &'static str, value: &str) -> Result<TraceContext, Malformed> {
    let extracted = read(&[(header, value)]);
    match (extracted.context, extracted.unusable) {
        (Some(context), None) => Ok(context),
        (None, Some((_, malformed))) => Err(malformed),
        other => panic!("{value}: {other:?}"),
    }
}

mod jaeger {
    use super::*;

    fn single(value: &str) -> Result<TraceContext, Malformed> {
        alone("uber-trace-id", value)
    }

    #[test]
    fn it_is_read_in_all_its_forms() {
        let whole = single(&format!("{TRACE}:{SPAN}:{SPAN}:1")).unwrap();
        assert_eq!(whole.trace_id, TRACE.parse().unwrap());
        assert_eq!(whole.parent_span_id, Some(SPAN.parse().unwrap()));
        assert_eq!((whole.decision, whole.debug), (Decision::Sampled, false));
        // Ids are numbers: without their leading zeros, and for 64 bits.
        let short = single("1:2:0:0").unwrap();
        assert_eq!((short.trace_id.get(), short.span_id.get()), (1, 2));
        assert_eq!(
            (short.parent_span_id, short.decision),
            (None, Decision::NotSampled)
        );
        let encoded = single("1%3A2%3a0%3A3").unwrap();
        assert_eq!((encoded.decision, encoded.debug), (Decision::Sampled, true));
    }

    #[test]
    fn what_is_invalid_is_refused_with_its_reason() {
        for (value, malformed) in [
            ("", Malformed::Form),
            ("1:2:0", Malformed::Form),
            ("1:2:0:1:9", Malformed::Form),
            ("0:2:0:1", Malformed::ZeroId),
            ("1:0:0:1", Malformed::ZeroId),
            ("x:2:0:1", Malformed::TraceId),
            ("1:x:0:1", Malformed::SpanId),
            ("1:2:0:x", Malformed::Flags),
            ("1:2:0:", Malformed::Form),
        ] {
            assert_eq!(single(value), Err(malformed), "{value}");
        }
    }
}

mod datadog {
    use super::*;

    const LOW: (&str, &str) = ("x-datadog-trace-id", "9532127138774266268");
    const PARENT: (&str, &str) = ("x-datadog-parent-id", "13235353014750950193");
    const TAGS: &str = "_dd.p.dm=-1,_dd.p.tid=0af7651916cd43dd,_dd.p.usr=x";

    #[test]
    fn ids_are_decimal_and_the_upper_half_is_a_tag() {
        let tags = ("x-datadog-tags", TAGS);
        let context = read(&[LOW, PARENT, tags]).context.unwrap();
        assert_eq!(context.trace_id, TRACE.parse().unwrap());
        assert_eq!(context.span_id, SPAN.parse().unwrap());
        assert_eq!(context.decision, Decision::Deferred);
        let lower = read(&[LOW, PARENT]).context.unwrap();
        assert_eq!(lower.trace_id.high64(), 0);
    }

    #[test]
    fn priorities_above_zero_keep() {
        let decision = |priority| {
            let extracted = read(&[LOW, PARENT, ("x-datadog-sampling-priority", priority)]);
            extracted.context.map(|context| context.decision)
        };
        for (priority, expected) in [
            ("2", Some(Decision::Sampled)),
            ("1", Some(Decision::Sampled)),
            ("0", Some(Decision::NotSampled)),
            ("-1", Some(Decision::NotSampled)),
            ("many", None),
        ] {
            assert_eq!(decision(priority), expected, "{priority}");
        }
    }

    #[test]
    fn what_others_put_there_stays() {
        let mut request = headers(&[
            LOW,
            PARENT,
            ("x-datadog-sampling-priority", "2"),
            ("x-datadog-tags", TAGS),
            ("x-datadog-origin", "synthetics"),
        ]);
        let context = extract(&request).context.unwrap();
        let child = context.child(SpanId::new(7).unwrap());
        inject(&mut request, &child, FamilySet::only(Family::Datadog));
        assert_eq!(request[PARENT.0], "7");
        assert_eq!(request["x-datadog-sampling-priority"], "2");
        assert_eq!(request["x-datadog-tags"], TAGS);
        assert_eq!(request["x-datadog-origin"], "synthetics");

        // Another trace has another upper half; the rest of the tags is not its business.
        let root = TraceContext::root(
            TraceId::new(1 << 64 | 5).unwrap(),
            SpanId::new(8).unwrap(),
            Decision::NotSampled,
        );
        inject(&mut request, &root, FamilySet::only(Family::Datadog));
        let tags = "_dd.p.tid=0000000000000001,_dd.p.dm=-1,_dd.p.usr=x";
        assert_eq!(request["x-datadog-tags"], tags);
        assert_eq!(request["x-datadog-sampling-priority"], "0");
    }

    #[test]
    fn what_is_invalid_is_refused_with_its_reason() {
        let refused = |pairs: &[(&str, &str)]| read(pairs).unusable.map(|(_, malformed)| malformed);
        let trace = |value| refused(&[("x-datadog-trace-id", value), PARENT]);
        assert_eq!(trace("0"), Some(Malformed::ZeroId));
        assert_eq!(trace("18446744073709551616"), Some(Malformed::TraceId));
        assert_eq!(trace("0af7"), Some(Malformed::TraceId));
        assert_eq!(trace("1-"), Some(Malformed::TraceId));
        assert_eq!(refused(&[LOW]), Some(Malformed::Incomplete));
        assert_eq!(
            refused(&[LOW, ("x-datadog-parent-id", "")]),
            Some(Malformed::SpanId)
        );
    }
}

mod xray {
    use super::*;

    const ROOT: &str = "Root=1-0af76519-16cd43dd8448eb211c80319c";

    fn single(value: &str) -> Result<TraceContext, Malformed> {
        alone("x-amzn-trace-id", value)
    }

    #[test]
    fn fields_come_in_any_order() {
        for (value, decision) in [
            (format!("{ROOT};Parent={SPAN};Sampled=1"), Decision::Sampled),
            (
                format!("Sampled=0; Parent={SPAN}; {ROOT}"),
                Decision::NotSampled,
            ),
            (
                format!("{ROOT};Parent={SPAN};Sampled=?"),
                Decision::Deferred,
            ),
            (
                format!("Self=1-2-3;{ROOT};Parent={SPAN}"),
                Decision::Deferred,
            ),
        ] {
            let context = single(&value).unwrap();
            assert_eq!(context.trace_id, TRACE.parse().unwrap(), "{value}");
            assert_eq!(context.span_id, SPAN.parse().unwrap(), "{value}");
            assert_eq!(context.decision, decision, "{value}");
        }
    }

    #[test]
    fn an_id_without_a_parent_is_no_context_and_its_decision_is_one() {
        assert!(read(&[("x-amzn-trace-id", ROOT)]).is_absent());
        let kept = read(&[("x-amzn-trace-id", &format!("{ROOT};Sampled=1"))]);
        assert_eq!(
            (kept.context.clone(), kept.decision()),
            (None, Decision::Sampled)
        );
    }

    #[test]
    fn other_fields_are_passed_on() {
        let line = format!("{ROOT};Parent={SPAN};Sampled=0;Self=x;Lineage=a87bd80c:0");
        let mut request = headers(&[("x-amzn-trace-id", &line)]);
        let context = extract(&request).context.unwrap();
        inject(&mut request, &context, FamilySet::only(Family::XRay));
        let expected = format!("{ROOT};Parent={SPAN};Sampled=0;Lineage=a87bd80c:0");
        assert_eq!(request["x-amzn-trace-id"], expected);
    }

    #[test]
    fn what_is_invalid_is_refused_with_its_reason() {
        let with_root = |root: &str| single(&format!("Root={root};Parent={SPAN}"));
        assert_eq!(
            with_root("2-0af76519-16cd43dd8448eb211c80319c"),
            Err(Malformed::TraceId)
        );
        assert_eq!(
            with_root("1-0af76519-16cd43dd8448eb211c8031"),
            Err(Malformed::TraceId)
        );
        assert_eq!(
            with_root(&format!("1-00000000-{}", "0".repeat(24))),
            Err(Malformed::ZeroId)
        );
        assert_eq!(single(&format!("{ROOT};Parent=12")), Err(Malformed::SpanId));
        assert_eq!(
            single(&format!("{ROOT};Parent={SPAN};Sampled=yes")),
            Err(Malformed::Flags)
        );
    }
}

mod grpc_trace_bin {
    use super::*;

    fn single(value: &str) -> Result<TraceContext, Malformed> {
        alone("grpc-trace-bin", value)
    }

    #[test]
    fn it_is_read_with_and_without_padding_and_options() {
        for (value, decision) in [
            ("AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE", Decision::Sampled),
            (
                "AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE=",
                Decision::Sampled,
            ),
            (
                "AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgA",
                Decision::NotSampled,
            ),
            ("AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMx", Decision::Deferred),
        ] {
            let context = single(value).unwrap();
            assert_eq!(context.trace_id, TRACE.parse().unwrap(), "{value}");
            assert_eq!(context.span_id, SPAN.parse().unwrap(), "{value}");
            assert_eq!(context.decision, decision, "{value}");
        }
    }

    #[test]
    fn what_is_invalid_is_refused_with_its_reason() {
        assert_eq!(single("!"), Err(Malformed::Form));
        assert_eq!(single("AQAK"), Err(Malformed::Version));
        assert_eq!(single("AAAK"), Err(Malformed::TraceId));
        assert_eq!(single("AAAK92UZFs1D3YRI6yEcgDGc"), Err(Malformed::SpanId));
    }
}

#[test]
fn w3c_wins_when_families_disagree_and_all_that_came_in_are_written_alike() {
    let value = parent("00", TRACE, SPAN, "01");
    let mut request = headers(&[
        ("traceparent", &value),
        ("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-0"),
        ("x-b3-sampled", "0"),
        ("baggage", "user=1"),
    ]);
    let extracted = extract(&request);
    let three = [Family::W3c, Family::B3Single, Family::B3Multi];
    assert_eq!(extracted.families, three.into_iter().collect());
    assert_eq!(extracted.decision(), Decision::Sampled);
    let context = extracted.context.unwrap();
    assert_eq!(context.trace_id, TRACE.parse().unwrap());
    inject(&mut request, &context, extracted.families);
    assert_eq!(request["b3"], format!("{TRACE}-{SPAN}-1"));
    assert_eq!(request["x-b3-traceid"], TRACE);
    assert_eq!(request["x-b3-sampled"], "1");
    assert_eq!(request["baggage"], "user=1");
}

#[test]
fn a_family_that_is_mangled_does_not_hide_one_that_is_usable() {
    let extracted = read(&[
        ("traceparent", "00-cut"),
        ("b3", &format!("{TRACE}-{SPAN}-1")),
    ]);
    assert_eq!(extracted.families, FamilySet::only(Family::B3Single));
    assert_eq!(extracted.unusable, Some((Family::W3c, Malformed::Form)));
    assert!(extracted.context.is_some() && !extracted.is_mangled());
}

#[test]
fn a_context_wins_over_a_decision_that_came_alone() {
    let extracted = read(&[
        ("b3", "0"),
        ("x-b3-traceid", TRACE),
        ("x-b3-spanid", SPAN),
        ("x-b3-sampled", "1"),
    ]);
    assert_eq!(extracted.decision(), Decision::Sampled);
}

#[test]
fn only_w3c_is_written_unasked() {
    let context = TraceContext::root(
        TraceId::new(1).unwrap(),
        SpanId::new(2).unwrap(),
        Decision::Sampled,
    );
    let request = written(&context, FamilySet::EMPTY);
    assert_eq!(
        request.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
        ["traceparent"]
    );
}

#[test]
fn removing_leaves_nothing_of_a_family_and_everything_else() {
    let value = parent("00", TRACE, SPAN, "01");
    let mut request = headers(&[
        ("traceparent", &value),
        ("tracestate", "a=1"),
        ("b3", "mangled"),
        ("x-b3-traceid", TRACE),
        ("x-b3-flags", "1"),
        ("baggage", "user=1"),
    ]);
    remove(&mut request, FamilySet::ALL);
    assert!(extract(&request).is_absent());
    assert_eq!(request.len(), 1);
}

#[test]
fn names_of_families_map_both_ways() {
    for family in Family::ALL {
        assert_eq!(Family::from_name(family.as_str()), Some(family));
        assert_eq!(FamilySet::only(family).iter().collect::<Vec<_>>(), [family]);
    }
    assert_eq!(Family::from_name("zipkin"), None);
    assert_eq!(
        Family::ALL.into_iter().collect::<FamilySet>(),
        FamilySet::ALL
    );
}

fn decisions() -> impl Strategy<Value = Decision> {
    prop_oneof![
        Just(Decision::Sampled),
        Just(Decision::NotSampled),
        Just(Decision::Deferred)
    ]
}

prop_compose! {
    fn contexts()(
        trace_id in prop_oneof![1..=u128::MAX, 1..=u128::from(u64::MAX)],
        span_id in 1..=u64::MAX,
        parent in any::<u64>(),
        decision in decisions(),
        debug in any::<bool>(),
        random in any::<bool>(),
    ) -> TraceContext {
        TraceContext {
            trace_id: TraceId::new(trace_id).unwrap(),
            span_id: SpanId::new(span_id).unwrap(),
            parent_span_id: SpanId::new(parent),
            decision: if debug { Decision::Sampled } else { decision },
            debug,
            random,
            ..TraceContext::root(TraceId::new(1).unwrap(), SpanId::new(1).unwrap(), decision)
        }
    }
}

/// Header values that are nearly right: what mangling makes of good ones.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![
        Just(parent("00", TRACE, SPAN, "01")),
        Just(format!("{TRACE}-{SPAN}-1-{SPAN}")),
        Just(TRACE.to_owned()),
        Just("1".to_owned()),
        Just(format!("{TRACE}:{SPAN}:0:1")),
        Just("17173903711341343134".to_owned()),
        Just("_dd.p.dm=-1,_dd.p.tid=0af7651916cd43dd".to_owned()),
        Just(format!(
            "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent={SPAN};Sampled=1"
        )),
        Just("AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE".to_owned()),
    ];
    let cut = (good, any::<prop::sample::Index>(), any::<u8>()).prop_map(|(good, at, byte)| {
        let mut bytes = good.into_bytes();
        match at.index(bytes.len() + 1) {
            end if byte & 1 == 0 => bytes.truncate(end),
            end if end < bytes.len() => bytes[end] = byte,
            _ => bytes.push(byte),
        }
        bytes
    });
    prop_oneof![cut, prop::collection::vec(any::<u8>(), 0..100)]
}

/// What of a context a family can say.
fn carried(family: Family, context: &TraceContext) -> TraceContext {
    let mut carried = TraceContext {
        random: false,
        ..context.clone()
    };
    let has_parent = match family {
        Family::B3Single => context.decision != Decision::Deferred,
        Family::B3Multi | Family::Jaeger => true,
        _ => false,
    };
    if !has_parent {
        carried.parent_span_id = None;
    }
    if !matches!(family, Family::B3Single | Family::B3Multi | Family::Jaeger) {
        carried.debug = false;
    }
    if matches!(family, Family::Jaeger | Family::GrpcTraceBin) {
        carried.decision = Decision::from(context.decision.is_sampled());
    }
    carried
}

proptest! {
    #[test]
    fn each_family_gives_back_what_it_can_carry(context in contexts()) {
        for family in Family::ALL.into_iter().skip(1) {
            let mut request = written(&context, FamilySet::only(family));
            remove(&mut request, FamilySet::only(Family::W3c));
            let back = extract(&request);
            prop_assert_eq!(back.families, FamilySet::only(family));
            prop_assert_eq!(back.context, Some(carried(family, &context)));
        }
        let back = extract(&written(&context, FamilySet::EMPTY));
        prop_assert_eq!(back.families, FamilySet::only(Family::W3c));
        let decision = Decision::from(context.decision.is_sampled());
        prop_assert_eq!(
            back.context,
            Some(TraceContext { parent_span_id: None, debug: false, decision, ..context })
        );
    }

    #[test]
    fn whatever_is_there_what_is_injected_is_extracted(
        context in contexts(),
        families in 0u8..128,
        stale in prop::collection::vec((0usize..16, nearly()), 0..12),
    ) {
        let families = FamilySet(families);
        let mut request = arbitrary_headers(stale);
        inject(&mut request, &context, families);
        let back = extract(&request);
        prop_assert_eq!(back.context.map(|c| (c.trace_id, c.span_id)), Some((context.trace_id, context.span_id)));
        for family in families.with(Family::W3c).iter() {
            prop_assert!(back.families.contains(family));
        }
    }

    #[test]
    fn extract_never_panics(stale in prop::collection::vec((0usize..16, nearly()), 0..16)) {
        let extracted = extract(&arbitrary_headers(stale));
        prop_assert!(extracted.context.is_none() || !extracted.families.is_empty());
    }
}

fn arbitrary_headers(values: Vec<(usize, Vec<u8>)>) -> HeaderMap {
    let names: Vec<_> = FORMATS.iter().flat_map(|format| format.headers).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(*names[name], value);
        }
    }
    headers
}
