//! Which route a request belongs to: a configured one, a gRPC method, or a learned template.

use crate::codec::InBody;
use ahash::AHashMap;
use clew_api::client::{Learned, LearnedRoutes};
use clew_model::learn::{self, Learner};
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{PathMatch, RouteRule, RouteTable};
use http::{Request, Response, StatusCode};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// One route, as requests refer to it.
#[derive(Debug)]
pub(crate) struct Route {
    /// Name in metrics and spans.
    pub(crate) name: RouteName,
    /// It was configured, not learned.
    pub(crate) configured: bool,
    /// Template of its path, where it was configured with one alone.
    pub(crate) path: Option<Arc<str>>,
    /// What counts as a failure, when it is not the default.
    pub(crate) failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    /// Destination of its own, when it has one.
    pub(crate) backend: Option<Arc<str>>,
    /// The server has not shown yet that it knows it; see [`Self::answered`].
    candidate: RefCell<Option<Candidate>>,
    /// It goes by a name that it shares with others until then.
    is_provisional: bool,
}

/// A path or method that counts once the server has shown that it knows it.
#[derive(Debug)]
struct Candidate {
    learner: Arc<ServiceLearner>,
    /// `METHOD template`, or a method of gRPC.
    key: Box<str>,
}

impl Route {
    /// The route of requests that ended before they had one.
    pub(crate) fn unknown() -> Self {
        Self::learned(RouteName::from("(unknown)"))
    }

    /// Notes how the server answered a request of the route. Only success says that it knows it: the paths
    /// that a scanner tries grow without end, and would fold those of real routes, whether they are answered
    /// with 404, 401 or a redirection to a login.
    pub(crate) fn answered<B>(&self, response: &Response<B>) {
        let is_known =
            response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        // In a head, a gRPC status says that there was no answer but that.
        if !is_known
            || response
                .headers()
                .get("grpc-status")
                .is_some_and(|status| status != "0")
        {
            return;
        }
        if let Some(Candidate { learner, key }) = self.candidate.take() {
            learner.prove(&key);
        }
    }

    /// It has a name that it deserves.
    fn is_named(&self) -> bool {
        !self.is_provisional || self.candidate.borrow().is_some()
    }

    fn learned(name: RouteName) -> Self {
        Self {
            name,
            configured: false,
            path: None,
            failure_statuses: None,
            backend: None,
            candidate: RefCell::default(),
            is_provisional: false,
        }
    }

    fn configured(rule: &RouteRule) -> Self {
        Self {
            name: rule.name.clone(),
            configured: true,
            path: path_of(rule),
            failure_statuses: rule.failure_statuses.clone(),
            backend: rule.backend.clone(),
            candidate: RefCell::default(),
            is_provisional: false,
        }
    }
}

/// What a rule matches, when that is one path.
fn path_of(rule: &RouteRule) -> Option<Arc<str>> {
    match &*rule.matches {
        [only] => match only.path.as_ref()? {
            PathMatch::Exact(path) | PathMatch::Prefix(path) | PathMatch::Template(path) => {
                Some(Arc::clone(path))
            }
        },
        _ => None,
    }
}

/// Routes of one service as one data-plane thread names them.
///
/// A name is found by a look-up in the thread's own table; only a template that the thread has not seen
/// before is taken to the process-wide learner.
pub(crate) struct RouteNames {
    table: RouteTable,
    /// One for each rule of the table.
    configured: Vec<Rc<Route>>,
    learner: Arc<ServiceLearner>,
    /// By method and template, or gRPC method.
    seen: RefCell<AHashMap<Box<str>, Rc<Route>>>,
    /// Version of the learner that `seen` was made from.
    version: Cell<u64>,
    key: RefCell<String>,
}

/// Templates that a thread remembers for a service; past it they are all asked for again.
const MAX_SEEN: usize = 4_096;

impl RouteNames {
    /// Names by these rules, and by what is learned where none matches.
    pub(crate) fn new(rules: &Arc<[RouteRule]>, learner: Arc<ServiceLearner>) -> Self {
        Self {
            table: RouteTable::new(Arc::clone(rules)),
            configured: rules
                .iter()
                .map(|rule| Rc::new(Route::configured(rule)))
                .collect(),
            version: Cell::new(learner.version()),
            learner,
            seen: RefCell::default(),
            key: RefCell::default(),
        }
    }

    /// The route of a request. `authority` is empty where the request has none.
    pub(crate) fn of(
        &self,
        request: &Request<InBody>,
        authority: &str,
        is_grpc: bool,
    ) -> Rc<Route> {
        self.name(
            request.method().as_str(),
            request.uri().path(),
            authority,
            is_grpc,
        )
    }

    fn name(&self, method: &str, path: &str, authority: &str, is_grpc: bool) -> Rc<Route> {
        if let Some(route) = self
            .table
            .index_of(authority, method, path)
            .and_then(|index| self.configured.get(index))
        {
            return Rc::clone(route);
        }
        let mut key = self.key.borrow_mut();
        key.clear();
        let grpc_method = if is_grpc {
            learn::grpc_method(path)
        } else {
            None
        };
        match grpc_method {
            Some(method) => key.push_str(method),
            None => {
                key.push_str(learn::known_method(method));
                key.push(' ');
                learn::write_template(path, &mut key);
            }
        }
        self.forget_outdated();
        if let Some(route) = self.seen.borrow().get(key.as_str())
            && route.is_named()
        {
            return Rc::clone(route);
        }
        let route = Rc::new(self.first_seen(&key, grpc_method));
        let mut seen = self.seen.borrow_mut();
        if seen.len() >= MAX_SEEN {
            seen.clear();
        }
        seen.insert(key.as_str().into(), Rc::clone(&route));
        route
    }

    /// The route of `METHOD template`, or of a gRPC method, which this thread has not seen before.
    fn first_seen(&self, key: &str, grpc_method: Option<&str>) -> Route {
        let (method, template) = key.split_once(' ').unwrap_or(("", key));
        // One that went by a shared name until now was proven since.
        let is_proven = self.seen.borrow().contains_key(key);
        let is_provisional = !is_proven && !self.learner.may_name(key);
        let name = match grpc_method {
            _ if is_provisional => learn::unproven_name(method),
            Some(method) => RouteName::new(method),
            None => self.learner.name(method, template),
        };
        let candidate = (!is_proven).then(|| Candidate {
            learner: Arc::clone(&self.learner),
            key: key.into(),
        });
        Route {
            candidate: RefCell::new(candidate),
            is_provisional,
            ..Route::learned(name)
        }
    }

    fn forget_outdated(&self) {
        let version = self.learner.version();
        if self.version.replace(version) != version {
            self.seen.borrow_mut().clear();
        }
    }
}

/// What the process has learned of the paths of one service.
#[derive(Debug)]
pub(crate) struct ServiceLearner {
    service: ServiceName,
    learner: Mutex<Learner>,
    /// Names that are used, and that the server has not shown to know.
    unproven: Mutex<HashSet<Box<str>>>,
    /// The learner's version, to be read without its lock.
    version: AtomicU64,
    /// What is shared with others through control.
    learned: Arc<watch::Sender<LearnedRoutes>>,
}

/// Past it, a path that the server has not shown to know goes by a shared name until it does. Someone who tries
/// paths would otherwise use up the cardinality budget of the routes that exist.
const MAX_UNPROVEN: usize = 100;

impl ServiceLearner {
    /// Whether a path or method that is not proven may have a name of its own.
    fn may_name(&self, key: &str) -> bool {
        let mut unproven = self.unproven();
        if unproven.contains(key) {
            return true;
        }
        let has_room = unproven.len() < MAX_UNPROVEN;
        if has_room {
            unproven.insert(key.into());
        }
        has_room
    }

    /// The server knows it: a template teaches something then, a method of gRPC does not.
    fn prove(&self, key: &str) {
        self.unproven().remove(key);
        if let Some((_, template)) = key.split_once(' ') {
            self.admit(template);
        }
    }

    fn unproven(&self) -> MutexGuard<'_, HashSet<Box<str>>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn name(&self, method: &str, template: &str) -> RouteName {
        let learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        learn::route_name(method, &learner.apply(template))
    }

    fn admit(&self, template: &str) {
        let mut learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        learner.admit(template);
        self.publish(&learner);
    }

    fn merge(&self, learned: &[Arc<str>]) {
        let mut learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        learner.merge(learned);
        self.publish(&learner);
    }

    /// Tells threads and control, when the learner has changed.
    fn publish(&self, learner: &Learner) {
        if self.version.swap(learner.version(), Ordering::AcqRel) == learner.version() {
            return;
        }
        self.learned.send_if_modified(|learned| {
            let patterns = learner.learned().into_iter().map(Arc::from);
            patterns
                .map(|pattern| learned.insert(&self.service, &pattern).added)
                .sum::<usize>()
                > 0
        });
    }
}

/// Learners of all services of the process.
pub(crate) struct Learners {
    services: Mutex<HashMap<ServiceName, Arc<ServiceLearner>>>,
    learned: Arc<watch::Sender<LearnedRoutes>>,
}

/// Services whose routes are learned; those past it share one learner, and so their templates.
const MAX_LEARNERS: usize = 1_000;

impl Default for Learners {
    fn default() -> Self {
        Self {
            services: Mutex::default(),
            learned: Arc::new(watch::Sender::new(LearnedRoutes::default())),
        }
    }
}

impl Learners {
    /// The learner of a service.
    pub(crate) fn of(&self, service: &ServiceName) -> Arc<ServiceLearner> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let overflow = ServiceName::from("(other)");
        if services.len() >= MAX_LEARNERS {
            // Nobody uses it, and nothing is lost with it.
            services.retain(|_, learner| Arc::strong_count(learner) > 1 || learner.version() > 0);
        }
        let service = if services.contains_key(service) || services.len() < MAX_LEARNERS {
            service
        } else {
            &overflow
        };
        let learner = services.entry(service.clone()).or_insert_with(|| {
            Arc::new(ServiceLearner {
                service: service.clone(),
                learner: Mutex::new(Learner::default()),
                unproven: Mutex::default(),
                version: AtomicU64::new(0),
                learned: Arc::clone(&self.learned),
            })
        });
        Arc::clone(learner)
    }

    /// What this process has learned, for control.
    pub(crate) fn learned(&self) -> watch::Receiver<LearnedRoutes> {
        self.learned.subscribe()
    }

    /// Takes over what others have learned.
    pub(crate) fn merge(&self, learned: &Learned) {
        self.of(&learned.service).merge(&learned.collapsed);
    }
}
