//! `GET edges`: who talks to whom.
//!
//! A request between two members is measured twice. The client's side is taken: it saw what became of requests
//! that never reached the server. The server's side stands in where nobody measured on the client's: clients
//! outside the mesh, and clients whose numbers were not read.

use super::backends::{Backends, peer};
use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, absorb, absorb_tcp, golden, label, load_golden, load_tcp};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::rest::golden::{Direction as Side, Edge, EdgePeer, Edges, Tcp};
use clew_api::rest::problem::Problem;
use clew_store::query::{Direction, GoldenRow, Labels};
use clew_store::{Label, Window};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::IntoParams;

/// Parameters of `GET edges`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EdgesParameters {
    #[param(ignore)]
    window: Window,
    /// Only edges to or from this workload
    workload: Option<String>,
    /// Only edges to or from workloads of this namespace
    namespace: Option<String>,
}

impl Parameters for EdgesParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            workload: query.name("workload")?,
            namespace: query.name("namespace")?,
        })
    }
}

/// Who talks to whom, and how well
#[utoipa::path(
    get,
    path = "/api/v1/edges",
    tag = "metrics",
    params(WindowParameters, EdgesParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Edges),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn edges(
    State(api): State<Api>,
    Asked(asked): Asked<EdgesParameters>,
) -> Result<Json<Edges>, Refusal> {
    let window = api.sources.store.measured(asked.window).await?;
    if let Some(workload) = &asked.workload {
        names::require_server(&api, "workload", workload, window).await?;
    }
    let sent = load(
        &api,
        Selection::of(window, Some(Direction::Outbound)),
        &OUTBOUND,
    )
    .await?;
    let served = load(
        &api,
        Selection::of(window, Some(Direction::Inbound)),
        &INBOUND,
    )
    .await?;
    let backends = Backends::of(sent.keys(), &names::members(&api));
    let mut all = joined(&sent, &served, &backends);
    all.retain(|(client, server), _| is_asked(&asked, client) || is_asked(&asked, server));
    let edges = all
        .into_iter()
        .map(|((client, server), seen)| seen.edge(client, server, &window));
    Ok(Json(Edges {
        window: bounds(&window),
        edges: edges.collect(),
    }))
}

const OUTBOUND: [Label; 7] = [
    Label::Namespace,
    Label::Workload,
    Label::DstService,
    Label::DstWorkload,
    Label::DstNamespace,
    Label::ServerId,
    Label::Tls,
];
const INBOUND: [Label; 6] = [
    Label::Namespace,
    Label::Workload,
    Label::ClientWorkload,
    Label::ClientNamespace,
    Label::ClientId,
    Label::Tls,
];

type Measured = BTreeMap<Labels, (Option<GoldenRow>, Option<Tcp>)>;

async fn load(api: &Api, selection: Selection, groups: &[Label]) -> Result<Measured, Refusal> {
    let mut measured = Measured::new();
    for row in load_golden(&api.sources.store, &selection, groups).await? {
        let labels = row.labels.clone();
        measured.entry(labels).or_default().0 = Some(row);
    }
    for (labels, tcp) in load_tcp(&api.sources.store, &selection, groups).await? {
        measured.entry(labels).or_default().1 = Some(tcp);
    }
    Ok(measured)
}

fn is_asked(asked: &EdgesParameters, peer: &EdgePeer) -> bool {
    let fits = |asked: &Option<String>, given: &Option<String>| asked.is_none() || asked == given;
    fits(&asked.workload, &peer.name) && fits(&asked.namespace, &peer.namespace)
}

const OUTSIDE: EdgePeer = EdgePeer {
    name: None,
    namespace: None,
    meshed: false,
};

/// What was seen of one edge.
struct Seen {
    by: Side,
    golden: Option<GoldenRow>,
    /// Latency as the server's proxies saw it, where those of the client are the ones that report.
    by_server: Option<GoldenRow>,
    tcp: Option<Tcp>,
    services: BTreeSet<String>,
    tls: BTreeSet<String>,
    client_ids: BTreeSet<String>,
    server_ids: BTreeSet<String>,
}

impl Seen {
    fn new(by: Side) -> Self {
        Self {
            by,
            golden: None,
            by_server: None,
            tcp: None,
            services: BTreeSet::new(),
            tls: BTreeSet::new(),
            client_ids: BTreeSet::new(),
            server_ids: BTreeSet::new(),
        }
    }

    fn add(&mut self, labels: &Labels, (row, tcp): &(Option<GoldenRow>, Option<Tcp>)) {
        if let Some(row) = row {
            absorb(self.golden.get_or_insert_default(), row);
        }
        if let Some(tcp) = tcp {
            absorb_tcp(self.tcp.get_or_insert_default(), tcp);
        }
        self.services
            .extend(label(labels, Label::DstService).map(str::to_owned));
        self.tls
            .insert(label(labels, Label::Tls).unwrap_or("none").to_owned());
        self.name(labels);
    }

    /// Each side names the other one.
    fn name(&mut self, labels: &Labels) {
        let named = |name| label(labels, name).map(str::to_owned);
        self.client_ids.extend(named(Label::ClientId));
        self.server_ids.extend(named(Label::ServerId));
    }

    /// The mean latency on the client's side less the one on the server's.
    fn between_ms(&self) -> Option<f64> {
        let mean =
            |row: &Option<GoldenRow>| Some(row.as_ref()?.ended.latency.mean()?.as_secs_f64());
        let between = mean(&self.golden)? - mean(&self.by_server)?;
        // The two are read at different moments: of few requests they may be other ones.
        (between >= 0.0).then_some(between * 1e3)
    }

    fn edge(self, client: EdgePeer, server: EdgePeer, window: &Window) -> Edge {
        let between_ms = self.between_ms();
        Edge {
            client,
            server,
            services: self.services.into_iter().collect(),
            reported_by: self.by,
            golden: self.golden.map(|row| golden(&row, window)),
            tcp: self.tcp,
            between_ms,
            tls: self.tls.into_iter().collect::<Vec<_>>().join(","),
            client_ids: self.client_ids.into_iter().collect(),
            server_ids: self.server_ids.into_iter().collect(),
        }
    }
}

fn joined(
    sent: &Measured,
    served: &Measured,
    backends: &Backends,
) -> BTreeMap<(EdgePeer, EdgePeer), Seen> {
    let mut edges: BTreeMap<(EdgePeer, EdgePeer), Seen> = BTreeMap::new();
    for (labels, measured) in sent {
        let client = peer(labels, Label::Workload, Label::Namespace).unwrap_or(OUTSIDE);
        let service = label(labels, Label::DstService);
        let server = peer(labels, Label::DstWorkload, Label::DstNamespace)
            .or_else(|| service.map(|service| backends.server(service)))
            .unwrap_or(OUTSIDE);
        edges
            .entry((client, server))
            .or_insert_with(|| Seen::new(Side::Outbound))
            .add(labels, measured);
    }
    let mut named: BTreeMap<(EdgePeer, EdgePeer), Tcp> = BTreeMap::new();
    for (labels, measured) in served {
        let client = peer(labels, Label::ClientWorkload, Label::ClientNamespace).unwrap_or(OUTSIDE);
        let server = peer(labels, Label::Workload, Label::Namespace).unwrap_or(OUTSIDE);
        if let (_, Some(tcp)) = measured
            && client != OUTSIDE
        {
            let edge = (client.clone(), server.clone());
            absorb_tcp(named.entry(edge).or_default(), tcp);
        }
        let seen = edges
            .entry((client, server))
            .or_insert_with(|| Seen::new(Side::Inbound));
        seen.name(labels);
        match (seen.by, &measured.0) {
            (Side::Inbound, _) => seen.add(labels, measured),
            (Side::Outbound, Some(row)) => absorb(seen.by_server.get_or_insert_default(), row),
            (Side::Outbound, None) => {}
        }
    }
    take_out_members(&mut edges, &named);
    edges
}

/// Bytes that are not looked into do not say who sent them, so that connections of members look like ones
/// from outside on the server's side. Those that members opened, and that the server could not name, are
/// taken out there.
fn take_out_members(
    edges: &mut BTreeMap<(EdgePeer, EdgePeer), Seen>,
    named: &BTreeMap<(EdgePeer, EdgePeer), Tcp>,
) {
    let mut unnamed: BTreeMap<EdgePeer, Tcp> = BTreeMap::new();
    for (edge, seen) in edges.iter().filter(|(_, seen)| seen.by == Side::Outbound) {
        if let Some(tcp) = &seen.tcp {
            let of_client = minus(seen_by_server(*tcp), named.get(edge));
            absorb_tcp(unnamed.entry(edge.1.clone()).or_default(), &of_client);
        }
    }
    edges.retain(|(client, server), seen| {
        if *client == OUTSIDE && seen.by == Side::Inbound {
            let left = seen.tcp.map(|tcp| minus(tcp, unnamed.get(server)));
            // Bytes alone are a matter of when each side was read.
            seen.tcp = left.filter(|left| left.opened > 0 || left.open > Some(0));
        }
        seen.golden.is_some() || seen.tcp.is_some()
    });
}

/// What a client writes its server reads.
fn seen_by_server(client: Tcp) -> Tcp {
    Tcp {
        read_bytes: client.written_bytes,
        written_bytes: client.read_bytes,
        ..client
    }
}

fn minus(tcp: Tcp, part: Option<&Tcp>) -> Tcp {
    let Some(part) = part else { return tcp };
    Tcp {
        opened: tcp.opened.saturating_sub(part.opened),
        closed: tcp.closed.saturating_sub(part.closed),
        open: tcp
            .open
            .map(|open| open.saturating_sub(part.open.unwrap_or_default())),
        read_bytes: tcp.read_bytes.saturating_sub(part.read_bytes),
        written_bytes: tcp.written_bytes.saturating_sub(part.written_bytes),
    }
}
