//! `clew top`: workloads and their routes, live, on the whole terminal.

mod frame;
mod screen;

use super::ReadError;
use crate::cli::read::TopArgs;
use crate::client::{ApiClient, ApiError, Question};
use crate::exit::Exit;
use crate::output::announce;
use clew_api::rest::golden::{RouteStat, Routes, Stat, WorkloadStat};
use clew_runtime::signals::Signals;
use frame::{Numbers, View};
use futures_util::future::join_all;
use screen::{Key, Screen};
use std::io::{self, IsTerminal as _};
use std::time::Duration;

/// Time between an answer and the next question.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &TopArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        announce("top needs a terminal; `clew stat` and `clew routes` print the same numbers once");
        return Ok(Exit::Usage);
    }
    // Where there is no mesh that is said on the terminal as it was.
    let mut numbers = ask(args, api).await?;
    let mut signals = Signals::install()?;
    let mut screen = Screen::enter().map_err(ReadError::Write)?;
    let mut view = View::new(args.window.window.to_string());
    let wait_and_ask = async || {
        tokio::time::sleep(INTERVAL).await;
        ask(args, api).await
    };
    let mut news = Box::pin(wait_and_ask());
    loop {
        screen
            .show(|size| view.render(&numbers, size))
            .map_err(ReadError::Write)?;
        tokio::select! {
            _ = signals.next() => return Ok(Exit::Ok),
            key = screen.next_key() => match key {
                None | Some(Key::End) => return Ok(Exit::Ok),
                Some(key) => view.press(key),
            },
            answer = &mut news => {
                // A mesh that goes may come again: the last numbers stay, and it is said how old they are.
                view.trouble = match answer {
                    Ok(answer) => {
                        numbers = answer;
                        None
                    }
                    Err(error) => Some(error.to_string()),
                };
                news = Box::pin(wait_and_ask());
            }
        }
    }
}

/// The workloads, and the routes of each that serves.
async fn ask(args: &TopArgs, api: &ApiClient) -> Result<Numbers, ApiError> {
    let window = &args.window;
    let question = Question::new("/stat")
        .with("window", window.window)
        .with_some("namespace", window.namespace.as_ref());
    let workloads = api.get::<Stat>(&question).await?.body.workloads;
    let serves = |stat: &&WorkloadStat| {
        let inbound = stat.inbound.as_ref();
        inbound.is_some_and(|side| side.golden.is_some())
    };
    let routes = join_all(workloads.iter().filter(serves).map(async |stat| {
        let question = Question::new("/routes")
            .with("workload", &stat.workload)
            .with("window", window.window)
            .with("namespace", &stat.namespace);
        match api.get::<Routes>(&question).await {
            Ok(answer) => Ok(named(&stat.workload, answer.body.routes)),
            // It has gone between the two questions.
            Err(ApiError::Refused(problem)) if problem.status == 404 => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }))
    .await;
    let routes: Result<Vec<_>, ApiError> = routes.into_iter().collect();
    Ok(Numbers {
        workloads,
        routes: routes?.concat(),
    })
}

fn named(workload: &str, routes: Vec<RouteStat>) -> Vec<(String, RouteStat)> {
    let name = |route| (workload.to_owned(), route);
    routes.into_iter().map(name).collect()
}
