//! Single calls: asked once, with a deadline.

use super::CallError;
use crate::convert::Resolution;
use crate::convert::outbound::{outbound_from_wire, target_to_wire};
use crate::convert::telemetry::{settings_from_wire, settings_to_wire};
use crate::wire::linkerd::outbound::outbound_policies_client::OutboundPoliciesClient;
use crate::wire::registry::LeaveRequest;
use crate::wire::registry::registry_client::RegistryClient;
use crate::wire::telemetry::telemetry_client::TelemetryClient;
use clew_model::name::{InstanceId, Workload};
use clew_model::policy::OutboundPolicy;
use clew_model::service::Target;
use clew_model::telemetry::TelemetrySettings;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Time in which control must answer.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn leave(channel: Channel, id: InstanceId) -> Result<(), CallError> {
    let request = with_deadline(LeaveRequest { id: id.to_string() });
    match RegistryClient::new(channel).leave(request).await {
        Ok(_) => Ok(()),
        Err(status) => Err(failure("Registry.Leave", status)),
    }
}

pub(super) async fn set_telemetry(
    channel: Channel,
    settings: TelemetrySettings,
) -> Result<TelemetrySettings, CallError> {
    const CALL: &str = "Telemetry.Set";
    let request = with_deadline(settings_to_wire(&settings, 0));
    let answer = TelemetryClient::new(channel)
        .set(request)
        .await
        .map_err(|status| failure(CALL, status))?;
    settings_from_wire(answer.into_inner()).map_err(|mistakes| {
        let missing = crate::convert::ConversionError::Missing { field: "settings" };
        CallError::Answer {
            call: CALL,
            cause: mistakes.into_iter().next().unwrap_or(missing),
        }
    })
}

pub(super) async fn load_outbound(
    channel: Channel,
    caller: &Workload,
    target: &Target,
) -> Result<Resolution<OutboundPolicy>, CallError> {
    const CALL: &str = "OutboundPolicies.Get";
    let request = with_deadline(target_to_wire(target, caller));
    match OutboundPoliciesClient::new(channel).get(request).await {
        Ok(answer) => outbound_from_wire(answer.into_inner())
            .map(|decoded| decoded.value)
            .map_err(|cause| CallError::Answer { call: CALL, cause }),
        Err(status) if status.code() == Code::NotFound => Ok(Resolution::Unknown),
        Err(status) => Err(failure(CALL, status)),
    }
}

fn with_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

fn failure(call: &'static str, status: Status) -> CallError {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::ResourceExhausted
        | Code::FailedPrecondition => CallError::Refused {
            mistakes: status.message().lines().map(str::to_owned).collect(),
        },
        _ => CallError::Unanswered {
            call,
            status: Box::new(status),
        },
    }
}
