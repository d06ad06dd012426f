//! `Identity` and `Trust`: certificates, and whose signatures are believed.

use super::Shared;
use crate::authority::{Authority, CertifyError, Signs};
use crate::stream::Answers;
use clew_api::wire::identity as trust;
use clew_api::wire::linkerd::identity as wire;
use clew_identity::IssuerError;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Serves `Identity` and `Trust`.
#[derive(Clone)]
pub(crate) struct Identities(pub(crate) Shared);

impl Identities {
    fn authority(&self) -> Result<&Arc<Authority>, Status> {
        self.0
            .authority
            .as_ref()
            .ok_or_else(|| Status::unimplemented("this mesh has no identities"))
    }
}

/// A token is short, and so is a request for a certificate: what is longer is neither.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

#[tonic::async_trait]
impl wire::identity_server::Identity for Identities {
    async fn certify(
        &self,
        request: Request<wire::CertifyRequest>,
    ) -> Result<Response<wire::CertifyResponse>, Status> {
        let authority = self.authority()?;
        let wire::CertifyRequest {
            identity,
            token,
            certificate_signing_request: signing_request,
        } = request.into_inner();
        if signing_request.len() > MAX_REQUEST_BYTES {
            return Err(Status::invalid_argument(
                "the certificate signing request is too long",
            ));
        }
        let issued = authority
            .certify(&token, &identity, &signing_request)
            .map_err(|error| {
                tracing::warn!(asked = %identity.escape_default(), %error, "no certificate is signed");
                refused(&error)
            })?;
        Ok(Response::new(wire::CertifyResponse {
            leaf_certificate: issued.leaf,
            intermediate_certificates: issued.intermediates,
            valid_until: Some(issued.validity.not_after.into()),
        }))
    }
}

fn refused(error: &CertifyError) -> Status {
    let text = error.to_string();
    match error {
        CertifyError::Token(_) => Status::unauthenticated(text),
        CertifyError::OfAnother { .. } => Status::permission_denied(text),
        CertifyError::Issuer(IssuerError::Request(_) | IssuerError::OtherName { .. }) => {
            Status::invalid_argument(text)
        }
        CertifyError::Issuer(IssuerError::Expired) => Status::failed_precondition(text),
        CertifyError::Issuer(_) => Status::internal(text),
    }
}

#[tonic::async_trait]
impl trust::trust_server::Trust for Identities {
    type WatchStream = Answers<trust::TrustBundle>;

    async fn watch(
        &self,
        _: Request<trust::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answers = self
            .0
            .streams
            .follow(self.authority()?.signs(), |now: &Signs| {
                Ok(vec![trust::TrustBundle {
                    trust_domain: now.issuer.trust_domain().to_owned(),
                    roots: now.bundle.to_pem(),
                }])
            })?;
        Ok(Response::new(answers))
    }
}
