//! Single calls: asked once, with a deadline.

use super::token::{TokenSource, prove};
use super::{AccessInForce, CallError, Certified};
use crate::convert::access_table::{access_to_wire, table_from_wire};
use crate::convert::outbound::{outbound_from_wire, target_to_wire};
use crate::convert::telemetry::{settings_from_wire, settings_to_wire};
use crate::convert::{ConversionError, Resolution};
use crate::wire::access as access_wire;
use crate::wire::access::access_client::AccessClient;
use crate::wire::linkerd::identity::CertifyRequest;
use crate::wire::linkerd::identity::identity_client::IdentityClient;
use crate::wire::linkerd::outbound::outbound_policies_client::OutboundPoliciesClient;
use crate::wire::registry::LeaveRequest;
use crate::wire::registry::registry_client::RegistryClient;
use crate::wire::telemetry::telemetry_client::TelemetryClient;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::policy::{Access, OutboundPolicy};
use clew_model::service::Target;
use clew_model::telemetry::TelemetrySettings;
use std::time::{Duration, SystemTime};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

/// Time in which control must answer.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn leave(
    channel: Channel,
    id: InstanceId,
    token: Option<&TokenSource>,
) -> Result<(), CallError> {
    let mut request = with_deadline(LeaveRequest { id: id.to_string() });
    prove(&mut request, token).map_err(|status| failure("Registry.Leave", status))?;
    match RegistryClient::new(channel).leave(request).await {
        Ok(_) => Ok(()),
        Err(status) => Err(failure("Registry.Leave", status)),
    }
}

pub(super) async fn certify(
    channel: Channel,
    identity: &Identity,
    request: Vec<u8>,
    token: Option<&TokenSource>,
) -> Result<Certified, CallError> {
    const CALL: &str = "Identity.Certify";
    let token = token.map_or(Ok(String::new()), TokenSource::token);
    let token = token.map_err(|status| failure(CALL, status))?;
    let request = with_deadline(CertifyRequest {
        identity: identity.to_string(),
        token: token.into_bytes(),
        certificate_signing_request: request,
    });
    let answer = IdentityClient::new(channel)
        .certify(request)
        .await
        .map_err(|status| failure(CALL, status))?
        .into_inner();
    let valid_until = answer
        .valid_until
        .and_then(|time| SystemTime::try_from(time).ok());
    let missing = |field| CallError::Answer {
        call: CALL,
        cause: ConversionError::Missing { field },
    };
    if answer.leaf_certificate.is_empty() {
        return Err(missing("leaf_certificate"));
    }
    Ok(Certified {
        leaf: answer.leaf_certificate,
        intermediates: answer.intermediate_certificates,
        not_after: valid_until.ok_or_else(|| missing("valid_until"))?,
    })
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
    settings_from_wire(answer.into_inner()).map_err(|mistakes| senseless(CALL, mistakes))
}

pub(super) async fn load_access(channel: Channel) -> Result<AccessInForce, CallError> {
    let request = with_deadline(access_wire::GetRequest {});
    let answer = AccessClient::new(channel).get(request).await;
    in_force("Access.Get", answer)
}

pub(super) async fn set_access(
    channel: Channel,
    service: &ServiceName,
    access: &Access,
) -> Result<AccessInForce, CallError> {
    let request = with_deadline(access_wire::SetRequest {
        service: service.to_string(),
        grants: access_to_wire(access),
    });
    let answer = AccessClient::new(channel).set(request).await;
    in_force("Access.Set", answer)
}

pub(super) async fn reset_access(
    channel: Channel,
    service: &ServiceName,
) -> Result<AccessInForce, CallError> {
    let request = with_deadline(access_wire::ResetRequest {
        service: service.to_string(),
    });
    let answer = AccessClient::new(channel).reset(request).await;
    in_force("Access.Reset", answer)
}

fn in_force(
    call: &'static str,
    answer: Result<Response<access_wire::Table>, Status>,
) -> Result<AccessInForce, CallError> {
    let answer = answer.map_err(|status| failure(call, status))?;
    table_from_wire(answer.into_inner()).map_err(|mistakes| senseless(call, mistakes))
}

fn senseless(call: &'static str, mistakes: Vec<ConversionError>) -> CallError {
    let missing = ConversionError::Missing { field: "answer" };
    CallError::Answer {
        call,
        cause: mistakes.into_iter().next().unwrap_or(missing),
    }
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
        | Code::Unauthenticated
        | Code::PermissionDenied
        | Code::Unimplemented
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
