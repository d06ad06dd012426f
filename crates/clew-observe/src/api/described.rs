//! How requests are refused whatever they ask for, for the description of the API.

use clew_api::rest::problem::{PROBLEM_JSON, Problem};
use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// Every request.
pub(super) struct Always;

/// What is answered out of the store.
pub(super) struct FromStore;

/// What control is asked.
pub(super) struct FromControl;

impl IntoResponses for Always {
    fn responses() -> Responses {
        problems(&[
            (
                400,
                "A parameter makes no sense, or there is none of this name",
            ),
            (
                421,
                "The request was not addressed to this API by an IP address or as localhost",
            ),
        ])
    }
}

impl IntoResponses for FromStore {
    fn responses() -> Responses {
        problems(&[
            (500, "The store failed"),
            (503, "The store is closed"),
            (504, "The store took too long"),
        ])
    }
}

impl IntoResponses for FromControl {
    fn responses() -> Responses {
        problems(&[(502, "Control failed"), (504, "Control does not answer")])
    }
}

type Responses = BTreeMap<String, RefOr<Response>>;

fn problems(of: &[(u16, &str)]) -> Responses {
    let responses = of.iter().map(|(status, description)| {
        let schema = Ref::from_schema_name(Problem::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(*description)
            .content(PROBLEM_JSON, content)
            .build();
        (status.to_string(), response.into())
    });
    responses.collect()
}
