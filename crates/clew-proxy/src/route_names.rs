//! Which route a request belongs to: a configured one, a gRPC method, or a learned template.

use crate::codec::InBody;
use ahash::AHashMap;
use clew_api::client::{Learned, LearnedRoutes};
use clew_model::learn::{self, Learner};
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{RouteRule, RouteTable};
use http::{Request, StatusCode};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// What counts as a failure, when it is not the default.
    pub(crate) failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    /// Destination of its own, when it has one.
    pub(crate) backend: Option<Arc<str>>,
    /// A template that is still to be learned from; see [`Self::answered`].
    candidate: RefCell<Option<Candidate>>,
}

/// A template that counts for learning once the server has shown that it knows it.
#[derive(Debug)]
struct Candidate {
    learner: Arc<ServiceLearner>,
    template: Box<str>,
}

impl Route {
    /// The route of requests that ended before they had one.
    pub(crate) fn unknown() -> Self {
        Self::learned(RouteName::from("(unknown)"))
    }

    /// Notes how the server answered a request of the route. What it does not know teaches nothing: the
    /// paths that a scanner tries grow without end, and would fold those of real routes.
    pub(crate) fn answered(&self, status: StatusCode) {
        if matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        ) {
            return;
        }
        if let Some(Candidate { learner, template }) = self.candidate.take() {
            learner.admit(&template);
        }
    }

    fn learned(name: RouteName) -> Self {
        Self {
            name,
            configured: false,
            failure_statuses: None,
            backend: None,
            candidate: RefCell::default(),
        }
    }

    fn configured(rule: &RouteRule) -> Self {
        Self {
            name: rule.name.clone(),
            configured: true,
            failure_statuses: rule.failure_statuses.clone(),
            backend: rule.backend.clone(),
            candidate: RefCell::default(),
        }
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
        if let Some(route) = self.seen.borrow().get(key.as_str()) {
            return Rc::clone(route);
        }
        let route = Rc::new(match grpc_method {
            Some(method) => Route::learned(RouteName::new(method)),
            None => self.learn(&key),
        });
        let mut seen = self.seen.borrow_mut();
        if seen.len() >= MAX_SEEN {
            seen.clear();
        }
        seen.insert(key.as_str().into(), Rc::clone(&route));
        route
    }

    /// The route of `METHOD template`, which this thread has not seen before.
    fn learn(&self, key: &str) -> Route {
        let (method, template) = key.split_once(' ').unwrap_or(("", key));
        let route = Route::learned(self.learner.name(method, template));
        let candidate = Candidate {
            learner: Arc::clone(&self.learner),
            template: template.into(),
        };
        route.candidate.replace(Some(candidate));
        route
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
    /// The learner's version, to be read without its lock.
    version: AtomicU64,
    /// What is shared with others through control.
    learned: Arc<watch::Sender<LearnedRoutes>>,
}

impl ServiceLearner {
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
        let service = if services.contains_key(service) || services.len() < MAX_LEARNERS {
            service
        } else {
            &overflow
        };
        let learner = services.entry(service.clone()).or_insert_with(|| {
            Arc::new(ServiceLearner {
                service: service.clone(),
                learner: Mutex::new(Learner::default()),
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
