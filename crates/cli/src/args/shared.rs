//! Flags that several commands share, and how their values are read.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use clusterlore_core::TypePattern;
use clusterlore_models::Price;

/// Who says what a type is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InferenceFlag {
    /// Rules over the schema, and the catalogue of known groups and kinds
    #[default]
    Rules,
    /// A language model
    Llm,
}

/// Who says what a type is for, and what a language model may cost.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct InferenceFlags {
    /// How to find out what a type is for
    #[arg(long, value_enum, default_value_t = InferenceFlag::Rules)]
    pub(crate) inference: InferenceFlag,
    /// Ask the model at most this many questions; the next run continues
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=1_000_000_000))]
    pub(crate) max_calls: Option<u64>,
    /// Spend at most this much on the model, in US dollars, estimated from its price; the next run continues
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
    /// Price of the model, in US dollars per million input and output tokens [default: the provider's list price, if known]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) price: Option<Price>,
}

/// Reads whole numbers of a range.
pub(crate) fn whole<N>(range: RangeInclusive<N>) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync
where
    N: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

pub(crate) fn dollars(text: &str) -> Result<f64, String> {
    let dollars = text.trim().parse().ok().filter(|usd: &f64| usd.is_finite() && *usd > 0.0);
    dollars.ok_or_else(|| "expected US dollars above zero, such as 0.50".to_owned())
}

pub(crate) fn price(text: &str) -> Result<Price, String> {
    let usd = |text: &str| text.trim().parse().ok().filter(|usd: &f64| usd.is_finite() && *usd >= 0.0);
    let both =
        text.split_once(',').and_then(|(input, output)| Some(Price { input: usd(input)?, output: usd(output)? }));
    both.ok_or_else(|| "expected two prices in US dollars per million tokens, such as 0.10,0.50".to_owned())
}

/// Whether the cluster is asked for what the index cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Live {
    /// Where a question asks for it and the cluster can be reached
    Auto,
    /// Never
    Never,
}

/// What is read of the cluster.
#[derive(Debug, ClapArgs)]
pub(crate) struct LiveFlags {
    /// Read from the cluster what the index cannot know, such as "not ready", "pending" or "which image": it takes a second at most, and
    /// nothing of it is stored
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Live::Auto)]
    pub(crate) live: Live,
}

/// Which index is asked.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct DemoFlag {
    /// Ask the index of "clusterlore demo", an example company: no cluster is asked, and your own index stays as it is
    #[arg(
        long,
        conflicts_with_all = [
            "store", "chroma_url", "chroma_tenant", "chroma_database", "postgres_url", "embedder", "kubeconfig", "context", "as"
        ]
    )]
    pub(crate) demo: bool,
}

/// An empty name would be read as all namespaces by the API server, where a script meant one.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected the name of a namespace; leave -n out for all of them".to_owned()),
        name => Ok(name.to_owned()),
    }
}

pub(crate) fn cluster_name(name: &str) -> Result<String, String> {
    let fine = !name.is_empty() && name.chars().all(clusterlore_core::is_of_cluster_name);
    if fine { Ok(name.to_owned()) } else { Err("expected letters, digits, '-', '_' and '.'".to_owned()) }
}

/// How anything else than objects is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
    /// For programs and people
    Yaml,
    /// One name per line
    Name,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    // On a terminal one line that moves, elsewhere a line each
    Auto,
    // A line each
    Lines,
    // Not at all.
    #[value(skip)]
    Quiet,
}

/// How lines on standard error are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// Each line a JSON object: timestamp, level, message, target, and what else there is to say
    Json,
}

/// What is read of a cluster.
#[derive(Debug, ClapArgs)]
pub(crate) struct WhatFlags {
    /// Read only these namespaces
    #[arg(short, long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = namespace)]
    pub(crate) namespaces: Vec<String>,
    /// Read all namespaces, as without -n
    #[arg(short = 'A', long, conflicts_with = "namespaces")]
    pub(crate) all_namespaces: bool,
    /// Read only these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) include: Vec<TypePattern>,
    /// Do not read these types, as plural.group with *
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) exclude: Vec<TypePattern>,
}

/// How what runs is read and written.
#[derive(Debug, ClapArgs)]
pub(crate) struct HowFlags {
    /// Replace what another cluster or folder indexed under this name
    #[arg(long)]
    pub(crate) replace_source: bool,
    /// Embed everything again if another embedder filled the index
    #[arg(long)]
    pub(crate) reindex: bool,
    /// How long to wait for another run that is writing to the index (0: do not wait)
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = clusterlore_core::duration)]
    pub(crate) lock_timeout: Duration,
    /// How many types to list at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<u16>(1..=64))]
    pub(crate) concurrency: u16,
    /// How many objects to request at once
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = whole::<u32>(1..=10_000))]
    pub(crate) page_size: u32,
}
