//! `clew trace`: one trace, whole, or what one instrumentation scope has of it.

use super::{ReadError, pretty, say_unless_json, show, show_empty, waterfall};
use crate::cli::read::TraceArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output;
use clew_api::rest::traces::Trace;
use serde::de::IgnoredAny;

pub(super) async fn run(args: &TraceArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let Some(output) = args.output.shared() else {
        return export(args, api).await;
    };
    let question = Question::new("/traces")
        .segment(&args.id)
        .with_some("scope", args.scope.as_ref());
    let answer = api.get::<Trace>(&question).await?;
    if answer.body.spans.is_empty() {
        say_unless_json(
            output,
            &format!(
                "none of the {} spans of this trace is of that scope (`clew trace {} -o wide` shows scopes)",
                answer.body.hidden_spans, args.id
            ),
        );
        return show_empty(&answer, output);
    }
    let width = output::terminal_width();
    show(&answer, output, |trace, is_wide| {
        waterfall::render(trace, width, is_wide)
    })?;
    Ok(Exit::Ok)
}

async fn export(args: &TraceArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    if let Some(scope) = &args.scope {
        return Err(ReadError::Flag {
            flag: "scope",
            given: scope.clone(),
            expected: "none with -o otlp, which has all spans",
        });
    }
    let question = Question::new("/traces").segment(&args.id).segment("otlp");
    let answer = api.get::<IgnoredAny>(&question).await?;
    output::print(&pretty(&answer.raw)?).map_err(ReadError::Write)?;
    Ok(Exit::Ok)
}
