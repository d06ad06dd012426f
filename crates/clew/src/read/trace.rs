//! `clew trace`: one trace, whole, or what one instrumentation scope has of it.

use super::{ReadError, say_unless_json, show, show_empty, waterfall};
use crate::cli::read::TraceArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output;
use clew_api::rest::traces::Trace;

pub(super) async fn run(args: &TraceArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = Question::new("/traces")
        .segment(&args.id)
        .with_some("scope", args.scope.as_ref());
    let answer = api.get::<Trace>(&question).await?;
    if answer.body.spans.is_empty() {
        say_unless_json(
            args.output,
            &format!(
                "none of the {} spans of this trace is of that scope (`clew trace {} -o wide` shows scopes)",
                answer.body.hidden_spans, args.id
            ),
        );
        return show_empty(&answer, args.output);
    }
    let width = output::terminal_width();
    show(&answer, args.output, |trace, is_wide| {
        waterfall::render(trace, width, is_wide)
    })?;
    Ok(Exit::Ok)
}
