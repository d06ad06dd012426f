use super::*;

#[test]
fn a_status_is_a_number_or_a_class() {
    for (text, expected) in [
        ("503", Some(503..=503)),
        ("5xx", Some(500..=599)),
        ("2XX", Some(200..=299)),
        ("099", None),
        ("600", None),
        ("6xx", None),
        ("0xx", None),
        ("xxx", None),
        ("50x", None),
        ("5003", None),
        ("+50", None),
        ("", None),
    ] {
        assert_eq!(status(text), expected, "{text}");
    }
}

#[test]
fn tags_are_told_apart_by_commas() {
    let pairs = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        Some(
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(tags("a=1"), pairs(&[("a", "1")]));
    assert_eq!(tags("a=1,b=x y"), pairs(&[("a", "1"), ("b", "x y")]));
    assert_eq!(tags("query=a=b"), pairs(&[("query", "a=b")]));
    assert_eq!(tags("a%3Db=c%2Cd%25"), pairs(&[("a=b", "c,d%")]));
    assert_eq!(tags("a="), pairs(&[("a", "")]));
    for wrong in ["", "a", "=1", "a=1,", "a=1,b", "a=%ff"] {
        assert_eq!(tags(wrong), None, "{wrong}");
    }
    let many = |count| vec!["a=1"; count].join(",");
    assert_eq!(tags(&many(16)).map(|tags| tags.len()), Some(16));
    assert_eq!(tags(&many(17)), None);
}
