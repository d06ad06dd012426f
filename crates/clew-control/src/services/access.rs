//! `Access`: who may call what, shown and changed while all runs.

use super::{Shared, refused};
use crate::access::{AccessTable, MAX_SERVICES};
use clew_api::access::AccessInForce;
use clew_api::convert::access_table::{access_from_wire, service_from_text, table_to_wire};
use clew_api::wire::access as wire;
use clew_model::policy::Access;
use tonic::{Request, Response, Status};

/// Serves `Access`.
pub(crate) struct AccessService(pub(crate) Shared);

impl AccessService {
    fn write(&self, table: &AccessTable) -> wire::Table {
        let authority = self.0.authority.as_ref();
        table_to_wire(&AccessInForce {
            trust_domain: authority.map(|authority| authority.trust_domain()),
            namespace: self.0.mesh.namespace().clone(),
            default: table.default.clone(),
            services: table.services.clone(),
        })
    }

    fn change(&self, service: &str, access: Option<Access>) -> Result<wire::Table, Status> {
        let service = service_from_text(service).map_err(refused)?;
        let in_force = self.0.mesh.change_access(&service, access);
        let in_force = in_force.ok_or_else(|| {
            let detail =
                format!("{MAX_SERVICES} services have a word of their own, which is all that may");
            Status::resource_exhausted(detail)
        })?;
        Ok(self.write(&in_force))
    }
}

#[tonic::async_trait]
impl wire::access_server::Access for AccessService {
    async fn get(&self, _: Request<wire::GetRequest>) -> Result<Response<wire::Table>, Status> {
        Ok(Response::new(self.write(&self.0.mesh.access())))
    }

    async fn set(
        &self,
        request: Request<wire::SetRequest>,
    ) -> Result<Response<wire::Table>, Status> {
        let wire::SetRequest { service, grants } = request.into_inner();
        let access = access_from_wire(grants).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Status::invalid_argument(lines.join("\n"))
        })?;
        self.change(&service, Some(access)).map(Response::new)
    }

    async fn reset(
        &self,
        request: Request<wire::ResetRequest>,
    ) -> Result<Response<wire::Table>, Status> {
        let service = request.into_inner().service;
        self.change(&service, None).map(Response::new)
    }
}
