#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{ApplicationPort, Surroundings, chosen, replaced_proxy, url_variable, variables};
use clew_model::name::{InstanceId, ServiceName, Workload};
use std::collections::HashMap;

fn surroundings() -> Surroundings {
    Surroundings {
        workload: Workload::new("webapp", "shop"),
        instance: InstanceId::from("webapp-1"),
        http_proxy: "127.0.0.1:4001".parse().unwrap(),
        dependencies: vec![(
            ServiceName::new("book-shop"),
            "127.0.0.1:4002".parse().unwrap(),
        )],
        port: Some(ApplicationPort {
            number: 7001,
            is_news: false,
        }),
        otlp_http: Some("127.0.0.1:4318".parse().unwrap()),
        zipkin: Some("127.0.0.1:9411".parse().unwrap()),
        is_one_of_many: false,
    }
}

fn composed(surroundings: &Surroundings, inherited: &[(&str, &str)]) -> HashMap<String, String> {
    variables(surroundings, lookup(inherited))
        .into_iter()
        .collect()
}

fn lookup<'a>(inherited: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        inherited
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

#[test]
fn requests_are_led_through_the_sidecar() {
    let set = composed(&surroundings(), &[]);
    assert_eq!(set["HTTP_PROXY"], "http://127.0.0.1:4001");
    assert_eq!(set["http_proxy"], "http://127.0.0.1:4001");
    assert_eq!(set["CLEW_BOOK_SHOP_URL"], "http://127.0.0.1:4002");
    assert_eq!(set["PORT"], "7001");
    assert_eq!(set["OTEL_SERVICE_NAME"], "webapp");
    assert!(!set.contains_key("HTTPS_PROXY"));
}

#[test]
fn spans_of_the_application_go_to_the_mesh_and_past_the_sidecar() {
    let set = composed(&surroundings(), &[]);
    assert_eq!(set["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://localhost:4318");
    assert_eq!(set["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf");
    let zipkin = "http://localhost:9411/api/v2/spans";
    assert_eq!(set["OTEL_EXPORTER_ZIPKIN_ENDPOINT"], zipkin);
    assert_eq!(set["NO_PROXY"], "localhost:4318,localhost:9411");
    assert_eq!(set["no_proxy"], "localhost:4318,localhost:9411");
}

#[test]
fn what_the_user_has_set_stays() {
    let inherited = [
        ("PORT", "9"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://zipkin:9411"),
        ("OTEL_SERVICE_NAME", "mine"),
        ("NODE_USE_ENV_PROXY", "0"),
    ];
    let set = composed(&surroundings(), &inherited);
    for (name, _) in inherited {
        assert!(!set.contains_key(name), "{name}");
    }
    assert!(!set.contains_key("OTEL_EXPORTER_OTLP_PROTOCOL"));
    assert_eq!(set["NO_PROXY"], "");
}

#[test]
fn one_process_of_many_has_its_own_port_and_name_whatever_is_inherited() {
    let surroundings = Surroundings {
        is_one_of_many: true,
        ..surroundings()
    };
    let inherited = [
        ("PORT", "9"),
        ("OTEL_SERVICE_NAME", "mine"),
        ("NODE_USE_ENV_PROXY", "0"),
    ];
    let set = composed(&surroundings, &inherited);
    assert_eq!(
        (&*set["PORT"], &*set["OTEL_SERVICE_NAME"]),
        ("7001", "webapp")
    );
    assert!(!set.contains_key("NODE_USE_ENV_PROXY"));
}

/// What the library's spans say of their sender is what the proxies' spans say.
#[test]
fn spans_of_the_application_name_its_instance_and_what_the_user_has_given_stays() {
    let own = "service.namespace=shop,service.instance.id=webapp-1";
    let attributes = |surroundings: &Surroundings, given: &str| {
        let set = composed(surroundings, &[("OTEL_RESOURCE_ATTRIBUTES", given)]);
        set["OTEL_RESOURCE_ATTRIBUTES"].clone()
    };
    let alone = surroundings();
    assert_eq!(composed(&alone, &[])["OTEL_RESOURCE_ATTRIBUTES"], own);
    for (given, expected) in [
        ("", own.to_owned()),
        ("team=a%2Cb", format!("team=a%2Cb,{own}")),
        (" team = a ,, ", format!("team = a,{own}")),
        (
            "service.instance.id=mine",
            "service.instance.id=mine,service.namespace=shop".to_owned(),
        ),
        (
            "service.namespace=,x",
            "service.namespace=,x,service.instance.id=webapp-1".to_owned(),
        ),
    ] {
        assert_eq!(attributes(&alone, given), expected, "{given}");
    }
    // An id cannot be meant for several.
    let one_of_many = Surroundings {
        is_one_of_many: true,
        ..surroundings()
    };
    let given = "service.instance.id=mine,team=a";
    assert_eq!(attributes(&one_of_many, given), format!("team=a,{own}"));
}

#[test]
fn attributes_are_escaped_as_in_baggage() {
    let odd = Surroundings {
        instance: InstanceId::from("a b,c=d;é%"),
        ..surroundings()
    };
    let set = composed(&odd, &[]);
    let expected = "service.namespace=shop,service.instance.id=a%20b%2Cc%3Dd%3B%C3%A9%25";
    assert_eq!(set["OTEL_RESOURCE_ATTRIBUTES"], expected);
}

/// Else it would be another one than the user has given: `OTEL_SERVICE_NAME` comes before it.
#[test]
fn a_name_among_the_attributes_stays_the_name() {
    let given = [("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine")];
    assert!(!composed(&surroundings(), &given).contains_key("OTEL_SERVICE_NAME"));
    let one_of_many = Surroundings {
        is_one_of_many: true,
        ..surroundings()
    };
    assert_eq!(
        composed(&one_of_many, &given)["OTEL_SERVICE_NAME"],
        "webapp"
    );
}

#[test]
fn attributes_of_one_program_are_added_to_its_own() {
    let set = variables(&surroundings(), lookup(&[]));
    assert_eq!(
        chosen(
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=a,service.namespace=b",
            &set
        ),
        "team=a,service.namespace=b,service.instance.id=webapp-1"
    );
    assert_eq!(chosen("PORT", "9", &set), "9");
    assert_eq!(chosen("COLOUR", "red", &set), "red");
}

/// A protocol that was meant for another collector would be spoken to a port that does not speak it.
#[test]
fn where_spans_go_and_by_which_protocol_is_set_together_or_not_at_all() {
    let set = composed(&surroundings(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(set["OTEL_EXPORTER_OTLP_PROTOCOL"], "http/protobuf");
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
    let set = composed(&surroundings(), &[endpoint]);
    assert!(!set.contains_key("OTEL_EXPORTER_OTLP_PROTOCOL"));
    assert!(!set.contains_key("OTEL_EXPORTER_OTLP_ENDPOINT"));
}

#[test]
fn a_port_that_the_system_chose_is_always_told() {
    let port = Some(ApplicationPort {
        number: 41_234,
        is_news: true,
    });
    let set = composed(
        &Surroundings {
            port,
            ..surroundings()
        },
        &[("PORT", "9")],
    );
    assert_eq!(set["PORT"], "41234");
}

#[test]
fn exceptions_for_loopback_are_taken_out_and_others_stay() {
    let surroundings = Surroundings {
        otlp_http: None,
        zipkin: None,
        ..surroundings()
    };
    for (given, kept) in [
        ("localhost,127.0.0.1,::1,.corp.example", ".corp.example"),
        ("*", ""),
        (
            "127.0.0.0/8, [::1]:8080 , localhost:3000,10.0.0.0/8",
            "10.0.0.0/8",
        ),
        (".localhost,*.localhost,localhost.corp", "localhost.corp"),
        ("0.0.0.0", ""),
    ] {
        let set = composed(&surroundings, &[("NO_PROXY", given), ("no_proxy", given)]);
        assert_eq!(
            (&*set["NO_PROXY"], &*set["no_proxy"]),
            (kept, kept),
            "{given}"
        );
    }
}

#[test]
fn only_a_proxy_elsewhere_is_worth_a_word() {
    let replaced = |proxy| replaced_proxy(lookup(&[("http_proxy", proxy)]));
    assert_eq!(
        replaced("http://proxy.corp:3128").as_deref(),
        Some("http://proxy.corp:3128")
    );
    assert_eq!(replaced("http://127.0.0.1:3128"), None);
    assert_eq!(replaced("http://[::1]:3128"), None);
    assert_eq!(replaced("http://localhost:3128"), None);
    assert_eq!(replaced_proxy(lookup(&[])), None);
}

#[test]
fn a_variable_holds_letters_digits_and_underscores() {
    assert_eq!(
        url_variable(&ServiceName::new("a-b.c:80")),
        "CLEW_A_B_C_80_URL"
    );
}
