//! `clew trace`: one trace, whole.

use super::{ReadError, show, waterfall};
use crate::cli::read::TraceArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output;
use clew_api::rest::traces::Trace;

pub(super) async fn run(args: &TraceArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let answer = api
        .get::<Trace>(&Question::new("/traces").segment(&args.id))
        .await?;
    let width = output::terminal_width();
    show(&answer, args.output, |trace, is_wide| {
        waterfall::render(trace, width, is_wide)
    })?;
    Ok(Exit::Ok)
}
