//! Flags of `changes`.

use clap::Args as ClapArgs;
use clusterlore_core::{NoTime, moment};
use jiff::Timestamp;

use super::format::{HitFlags, ListFlags};
use super::shared::{DemoFlag, cluster_name, namespace};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  clusterlore changes                                     what happened lately, the newest first
  clusterlore changes what was deleted today
  clusterlore changes when did kiosk-web disappear
  clusterlore changes -w -n fares                         go on, and print what happens
  clusterlore changes databases --since 2h -n fares
  clusterlore changes who last changed the ingress of fares  names the command that knows

The journal is kept while \"clusterlore watch\" or \"clusterlore serve\" runs, for 7 days, and 100,000 entries of each cluster.")]
pub(crate) struct Changes {
    /// What to look for, in plain words [default: everything]
    #[arg(value_name = "QUESTION")]
    pub(crate) question: Vec<String>,
    /// From this time on: a time, or a duration such as 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<Timestamp>,
    /// Look only in these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
    /// Look in all namespaces, as without -n
    #[arg(short = 'A', long, conflicts_with = "namespaces")]
    pub(crate) all_namespaces: bool,
    /// Look only at these kinds: kinds, plurals, short names or plural.group
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Look only in this cluster
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster_name: Option<String>,
    #[command(flatten)]
    pub(crate) hits: HitFlags,
    #[command(flatten)]
    pub(crate) list: ListFlags,
    /// Go on, and print what happens until stopped; as table, name or id
    #[arg(short, long, conflicts_with_all = ["until", "exit_status"])]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) demo: DemoFlag,
}

fn time(text: &str) -> Result<Timestamp, NoTime> {
    moment(text, Timestamp::now())
}
