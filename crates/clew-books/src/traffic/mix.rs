//! What readers ask for: a weighted mix of the application's routes, the same for the same seed.

use crate::catalogue::{AUTHORS, BOOKS};
use axum::http::Method;

/// A kind of request in the mix; its name on the command line is the variant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Route {
    /// `GET /`
    Home,
    /// `GET /authors/{id}`
    Author,
    /// `GET /authors/{id}` of an author who does not exist: 404.
    MissingAuthor,
    /// `GET /authors/{id}/books`
    BooksOfAuthor,
    /// `GET /books?author=`
    Books,
    /// `GET /books/{id}`
    Book,
    /// `POST /books/{id}/edit`
    Edit,
    /// `GET /search?q=`
    Search,
    /// `GET /events`, read to its end.
    Events,
    /// `GET /events`, given up after the first event.
    EventsGivenUp,
}

impl Route {
    /// Number of routes.
    pub const COUNT: usize = 10;
    /// All routes.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Home,
        Self::Author,
        Self::MissingAuthor,
        Self::BooksOfAuthor,
        Self::Books,
        Self::Book,
        Self::Edit,
        Self::Search,
        Self::Events,
        Self::EventsGivenUp,
    ];

    /// Its name in the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "GET /",
            Self::Author => "GET /authors/{id}",
            Self::MissingAuthor => "GET /authors/{id} (missing)",
            Self::BooksOfAuthor => "GET /authors/{id}/books",
            Self::Books => "GET /books",
            Self::Book => "GET /books/{id}",
            Self::Edit => "POST /books/{id}/edit",
            Self::Search => "GET /search",
            Self::Events => "GET /events",
            Self::EventsGivenUp => "GET /events (given up)",
        }
    }

    /// Its share of the mix, of 100.
    fn weight(self) -> u32 {
        match self {
            Self::Home | Self::Edit | Self::Books => 10,
            Self::Author => 20,
            Self::BooksOfAuthor | Self::Search => 8,
            Self::Book => 30,
            Self::Events => 2,
            Self::MissingAuthor | Self::EventsGivenUp => 1,
        }
    }
}

/// How much of the response is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// To its end.
    Whole,
    /// Its first piece; then the caller gives up.
    Start,
}

/// One request to send.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its kind.
    pub route: Route,
    /// Method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// JSON body.
    pub body: Option<String>,
    /// How much of the response is read.
    pub reading: Reading,
}

/// The requests, one after another.
#[derive(Clone, Debug)]
pub struct Mix {
    random: fastrand::Rng,
    routes: Vec<Route>,
}

impl Mix {
    /// A mix of these routes, in their shares. An empty list stands for all.
    pub fn new(seed: u64, routes: &[Route]) -> Self {
        let routes = if routes.is_empty() {
            &Route::ALL
        } else {
            routes
        };
        Self {
            random: fastrand::Rng::with_seed(seed),
            routes: routes.to_vec(),
        }
    }

    /// The same mix in another order, for one of several callers.
    pub fn for_caller(&self, caller: u64) -> Self {
        let seed = self.random.get_seed() ^ caller.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            random: fastrand::Rng::with_seed(seed),
            routes: self.routes.clone(),
        }
    }

    /// The next request.
    pub fn next_call(&mut self) -> Call {
        let route = self.next_route();
        let author = self.random.u32(1..=AUTHORS);
        let book = self.random.u32(1..=BOOKS);
        let (method, path) = match route {
            Route::Home => (Method::GET, "/".to_owned()),
            Route::Author => (Method::GET, format!("/authors/{author}")),
            Route::MissingAuthor => (Method::GET, format!("/authors/{}", AUTHORS + author)),
            Route::BooksOfAuthor => (Method::GET, format!("/authors/{author}/books")),
            Route::Books => (Method::GET, format!("/books?author={author}")),
            Route::Book => (Method::GET, format!("/books/{book}")),
            Route::Edit => (Method::POST, format!("/books/{book}/edit")),
            Route::Search => (Method::GET, format!("/search?q={}", self.word())),
            Route::Events => (Method::GET, "/events?count=5".to_owned()),
            Route::EventsGivenUp => (Method::GET, "/events?count=20".to_owned()),
        };
        let body = (route == Route::Edit)
            .then(|| format!(r#"{{"title":"The Second Edition of {book}"}}"#));
        let reading = if route == Route::EventsGivenUp {
            Reading::Start
        } else {
            Reading::Whole
        };
        Call {
            route,
            method,
            path,
            body,
            reading,
        }
    }

    fn next_route(&mut self) -> Route {
        let total: u32 = self.routes.iter().map(|route| route.weight()).sum();
        let mut point = self.random.u32(0..total.max(1));
        for route in &self.routes {
            if point < route.weight() {
                return *route;
            }
            point -= route.weight();
        }
        Route::Home
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 5] = ["river", "ada", "winter", "key", "marsh"];
        WORDS
            .get(self.random.usize(0..WORDS.len()))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Mix, Reading, Route};

    #[test]
    fn weights_are_shares_of_a_hundred() {
        assert_eq!(
            Route::ALL.iter().map(|route| route.weight()).sum::<u32>(),
            100
        );
    }

    #[test]
    fn the_same_seed_asks_for_the_same_things() {
        let (mut one, mut other) = (Mix::new(7, &[]), Mix::new(7, &[]));
        assert!((0..500).all(|_| one.next_call().path == other.next_call().path));
    }

    #[test]
    fn every_route_occurs_in_about_its_share() {
        let mut mix = Mix::new(1, &[]);
        let calls: Vec<_> = (0..10_000).map(|_| mix.next_call()).collect();
        for route in Route::ALL {
            let count = calls.iter().filter(|call| call.route == route).count() as f64;
            let expected = f64::from(route.weight()) * 100.0;
            assert!(
                (count - expected).abs() < expected * 0.4,
                "{route:?}: {count} of {expected}"
            );
        }
    }

    #[test]
    fn only_the_routes_asked_for_occur() {
        let mut mix = Mix::new(1, &[Route::EventsGivenUp]);
        assert!((0..100).all(|_| mix.next_call().reading == Reading::Start));
    }
}
