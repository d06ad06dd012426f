use super::super::golden::tests::{golden, minute, plain};
use super::*;
use clew_api::rest::golden::{Direction, Edge, Tcp};

fn meshed(name: &str) -> EdgePeer {
    EdgePeer {
        name: Some(name.to_owned()),
        namespace: Some("default".to_owned()),
        meshed: true,
    }
}

#[test]
fn edges_name_who_is_outside_the_mesh() {
    let edge = |client, server, reported_by| Edge {
        client,
        server,
        services: vec!["books".to_owned()],
        reported_by,
        golden: Some(golden(60, 0, 0)),
        tcp: None,
        between_ms: Some(0.21),
        tls: "mtls".to_owned(),
        client_ids: vec!["spiffe://cluster.local/ns/shop/sa/web".to_owned()],
        server_ids: Vec::new(),
    };
    let outside = EdgePeer {
        name: None,
        namespace: None,
        meshed: false,
    };
    let mail = EdgePeer {
        name: Some("mail.example".to_owned()),
        namespace: None,
        meshed: false,
    };
    let tcp = Tcp {
        open: Some(4),
        ..Tcp::default()
    };
    let mut edges = Edges {
        window: minute(),
        edges: vec![
            edge(outside, meshed("gateway"), Direction::Inbound),
            edge(meshed("gateway"), meshed("webapp"), Direction::Outbound),
            edge(meshed("webapp"), mail, Direction::Outbound),
        ],
    };
    insta::assert_snapshot!(plain(&render(&edges, false)), @r"
    CLIENT      SERVER                   SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99
    (unmeshed)  gateway                  100.00%  1.00      4.20 ms      18.6 ms       1.20 s
    gateway     webapp                   100.00%  1.00      4.20 ms      18.6 ms       1.20 s
    webapp      mail.example (unmeshed)  100.00%  1.00      4.20 ms      18.6 ms       1.20 s
    ");
    edges.edges.push(Edge {
        golden: None,
        tcp: Some(tcp),
        between_ms: None,
        services: Vec::new(),
        ..edge(meshed("webapp"), meshed("db"), Direction::Outbound)
    });
    insta::assert_snapshot!(plain(&render(&edges, true)), @r"
    CLIENT           SERVER                   SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  STREAMS  REQUESTS  FAILURES  CANCELLED  TCP_CONN  BETWEEN  SERVICES  TLS   REPORTED_BY  ERRORS  CLIENT_ID                              SERVER_ID
    (unmeshed)       gateway.default          100.00%  1.00      4.20 ms      18.6 ms       1.20 s        0        60         0          0         -   210 us  books     mtls  inbound      -       spiffe://cluster.local/ns/shop/sa/web  -
    gateway.default  webapp.default           100.00%  1.00      4.20 ms      18.6 ms       1.20 s        0        60         0          0         -   210 us  books     mtls  outbound     -       spiffe://cluster.local/ns/shop/sa/web  -
    webapp.default   mail.example (unmeshed)  100.00%  1.00      4.20 ms      18.6 ms       1.20 s        0        60         0          0         -   210 us  books     mtls  outbound     -       spiffe://cluster.local/ns/shop/sa/web  -
    webapp.default   db.default                     -     -            -            -            -        -         -         -          -         4        -  -         mtls  outbound     -       spiffe://cluster.local/ns/shop/sa/web  -
    ");
}
