//! What questions about numbers over time have in common: which requests, and which steps.

use super::backends::Backends;
use super::clock::{bounds, rfc3339};
use super::names::UNMESHED;
use super::query::{Parameters, Query};
use super::refusal::Refusal;
use super::{Api, names};
use clew_api::rest::golden::Direction as Side;
use clew_api::rest::series::TimeSteps;
use clew_store::query::{Direction, GoldenQuery, GoldenStepsQuery, SeriesQuery};
use clew_store::{Label, ReadError, Steps, Store, Window};
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};
use utoipa::IntoParams;

const POINTS: RangeInclusive<usize> = 2..=500;
const DEFAULT_POINTS: usize = 60;
/// Members are read once a second, and what was read is written within half a second.
const UNREAD: Duration = Duration::from_millis(1_500);

/// Parameters of `GET series` and `GET heatmap`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OverTimeParameters {
    #[param(ignore)]
    pub(super) window: Window,
    /// How many steps the window is cut into at most, 2 to 500. A step is no shorter than the resolution in which numbers
    /// are kept: 1 s, 10 s past ten minutes, 60 s past six hours. Default: 60
    #[param(value_type = Option<u32>, minimum = 2, maximum = 500)]
    points: usize,
    /// Only this workload
    pub(super) workload: Option<String>,
    /// Only this namespace
    namespace: Option<String>,
    /// Only requests of this route
    #[param(example = "GET /books/{id}")]
    pub(super) route: Option<String>,
    /// Only requests of this client workload, as their servers saw them; `(unmeshed)` for clients outside the mesh. Not
    /// together with `to`
    pub(super) from: Option<String>,
    /// Only requests to this workload or service, as their clients saw them. Not together with `from`
    pub(super) to: Option<String>,
    /// Side of the sidecars that measured: `inbound` or `outbound`. Default: `inbound`, with `to` `outbound`
    #[param(value_type = Option<String>, example = "inbound")]
    pub(super) direction: Side,
}

impl Parameters for OverTimeParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let sides = [("inbound", Side::Inbound), ("outbound", Side::Outbound)];
        let window = query.window()?;
        let points = query.number("points", POINTS)?.unwrap_or(DEFAULT_POINTS);
        let (workload, namespace) = (query.name("workload")?, query.name("namespace")?);
        let route = query.name("route")?;
        let (from, to) = (query.name("from")?, query.name("to")?);
        let direction = query.choice("direction", &sides)?;
        if let (Some(_), Some(to)) = (&from, &to) {
            return Err(Refusal::bad_value("to", to, "either from or to, not both"));
        }
        let needed = match (&from, &to) {
            (Some(_), _) => Some(("inbound, because of from", Side::Inbound)),
            (_, Some(_)) => Some(("outbound, because of to", Side::Outbound)),
            _ => None,
        };
        if let (Some(given), Some((expected, needed))) = (direction, needed)
            && given != needed
        {
            return Err(Refusal::bad_value("direction", given.as_str(), expected));
        }
        let direction = direction.or(needed.map(|(_, side)| side));
        Ok(Self {
            window,
            points,
            workload,
            namespace,
            route,
            from,
            to,
            direction: direction.unwrap_or(Side::Inbound),
        })
    }
}

impl OverTimeParameters {
    /// The question, once the names in it are known to be somebody's.
    pub(super) async fn question(
        &self,
        api: &Api,
        group_by: &[Label],
    ) -> Result<GoldenStepsQuery, Refusal> {
        if let Some(workload) = &self.workload {
            names::require_workload(api, "workload", workload, self.window).await?;
        }
        // Clients outside the mesh have no name.
        let unmeshed = |from: &str| from == UNMESHED;
        if let Some(from) = self.from.as_deref().filter(|from| !unmeshed(from)) {
            names::require_workload(api, "from", from, self.window).await?;
        }
        let client = self.from.as_deref();
        let client = client.map(|from| if unmeshed(from) { "" } else { from });
        let all = [
            (Label::Workload, self.workload.as_deref()),
            (Label::Namespace, self.namespace.as_deref()),
            (Label::Route, self.route.as_deref()),
            (Label::ClientWorkload, client),
        ];
        let given = all
            .into_iter()
            .filter_map(|(label, value)| Some((label, value?.to_owned())));
        Ok(GoldenStepsQuery {
            golden: GoldenQuery {
                series: SeriesQuery {
                    window: self.window,
                    filters: given.collect(),
                    group_by: group_by.to_vec(),
                },
                direction: Some(match self.direction {
                    Side::Inbound => Direction::Inbound,
                    Side::Outbound => Direction::Outbound,
                }),
            },
            any_of: match &self.to {
                Some(to) => servers(api, to, self.window).await?,
                None => Vec::new(),
            },
            steps: Steps::of(read_whole(self.window), self.points),
        })
    }
}

/// The window, moved back to where all that happened has been read: otherwise the last step would have too little.
fn read_whole(window: Window) -> Window {
    let last = SystemTime::now().checked_sub(UNREAD);
    let to = last.map_or(window.to, |last| last.min(window.to));
    Window::ending(to, window.length())
}

/// Either name will do: that of the service, and that of the workload behind it.
async fn servers(
    api: &Api,
    to: &str,
    window: Window,
) -> Result<Vec<Vec<(Label, String)>>, Refusal> {
    names::require_server(api, "to", to, window).await?;
    let backends = Backends::load(api, window).await?;
    let mut servers = vec![
        vec![(Label::DstService, to.to_owned())],
        vec![(Label::DstWorkload, to.to_owned())],
    ];
    // Requests that found no endpoint name only the service.
    servers.extend(backends.services(to).map(|service| {
        let service = (Label::DstService, service.to_owned());
        vec![service, (Label::DstWorkload, String::new())]
    }));
    Ok(servers)
}

/// As answers show them.
pub(super) async fn shown(store: &Store, steps: Steps) -> Result<TimeSteps, ReadError> {
    let window = steps.window();
    let measured = store.measured(window).await?;
    Ok(TimeSteps {
        window: bounds(&window),
        measured_from: rfc3339(measured.from),
        step_seconds: steps.length().as_secs_f64(),
        ends: steps.ends_ms().collect(),
    })
}
