//! Flags of `mcp`.

use std::sync::Arc;

use clap::{Args as ClapArgs, ValueEnum};
use clusterlore_agent::converse::Investigator;
use clusterlore_server::Offer;

use super::shared::{DemoFlag, LiveFlags};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore mcp                                          for an assistant that starts it, such as an editor
  claude mcp add clusterlore -- clusterlore mcp
  clusterlore mcp --context east --live never              the index alone
  clusterlore mcp --model anthropic                        a model of your own answers \"investigate\"

It speaks the Model Context Protocol on standard input and output, and logs to standard error. \"clusterlore serve\" offers the same at \
/mcp.")]
pub(crate) struct Mcp {
    #[command(flatten)]
    pub(crate) offer: OfferFlags,
    #[command(flatten)]
    pub(crate) live: LiveFlags,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

/// Programs whose tools are offered too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compat {
    /// vector_search, kubectl_get, kubectl_describe, kubectl_logs
    ClusterWhisperer,
}

/// What assistants are offered.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct OfferFlags {
    /// Offer assistants the tools of another program too, with its parameters and texts
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub(crate) compat: Option<Compat>,
    /// Let assistants of those who may see everything change the cluster, in two steps: a dry run that shows what would change, then the
    /// change itself. Never RBAC, Secrets and Kubernetes' own namespaces
    #[arg(long)]
    pub(crate) allow_apply: bool,
}

impl OfferFlags {
    /// With the model that looks into questions, where there is one.
    pub(crate) fn offer(&self, investigator: Option<Arc<Investigator>>) -> Offer {
        Offer { compat: self.compat == Some(Compat::ClusterWhisperer), apply: self.allow_apply, investigator }
    }
}
