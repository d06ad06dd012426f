//! Flags of the commands that are about who may call.

use super::ApiArgs;
use super::read::{OutputArgs, WindowArgs};
use clap::Args;

/// `clew authz`
#[derive(Args, Debug)]
pub(crate) struct AuthzArgs {
    /// Only requests to this workload
    pub(crate) workload: Option<String>,
    /// Only those who were refused
    #[arg(long)]
    pub(crate) refused: bool,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew access`
#[derive(Args, Debug)]
pub(crate) struct AccessArgs {
    /// Only this service
    pub(crate) service: Option<String>,
    /// From now on this client may call the service, and nobody else: `WORKLOAD`, `NAMESPACE/WORKLOAD`, a SPIFFE id,
    /// `meshed` (whoever has proven to be of the mesh) or `anyone`. May be repeated
    #[arg(long, value_name = "CLIENT", requires = "service")]
    pub(crate) allow: Vec<String>,
    /// Only with such requests: `[METHOD ]PATH`, where PATH may hold {placeholders} or end in `/*`. May be repeated
    #[arg(long = "match", value_name = "REQUEST", requires = "allow")]
    pub(crate) requests: Vec<String>,
    /// Only from this network, in CIDR notation. May be repeated
    #[arg(long = "network", value_name = "CIDR", requires = "allow")]
    pub(crate) networks: Vec<String>,
    /// From now on nobody may call the service
    #[arg(long, requires = "service", conflicts_with_all = ["allow", "requests", "networks", "reset"])]
    pub(crate) deny: bool,
    /// From now on the mesh's default holds for the service
    #[arg(long, requires = "service", conflicts_with_all = ["allow", "requests", "networks"])]
    pub(crate) reset: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}
