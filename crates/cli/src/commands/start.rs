//! `clusterlore` alone, at a terminal: the picker where there is an index, else the ways to one.

use clusterlore_index::Request;

use super::pick::{self, Pick};
use crate::args::Live;
use crate::done::Done;
use crate::picker::{Aim, End};
use crate::settings::Settings;
use crate::{build, print};

/// The ways in.
const OFFER: [&str; 7] = [
    "clusterlore finds what runs in a Kubernetes cluster, by meaning.",
    "It needs an index, and there is none yet:",
    "",
    "  clusterlore index      reads the cluster of your kubeconfig",
    "  clusterlore demo       tries it on an example company, without a cluster",
    "",
    "\"clusterlore --help\" lists all commands.",
];

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Done> {
    if build::store_if_any(settings).await?.is_none() {
        print::lines(OFFER)?;
        return Ok(Done::Whole);
    }
    let request = Request { now: build::now(), ..Request::default() };
    let pick = Pick { aim: Aim::Look, request, live: Live::Auto, weigh: &Ok };
    if let (End::Command(command), _) = pick::run(settings, pick).await? {
        print::line(&command)?;
    }
    Ok(Done::Whole)
}
