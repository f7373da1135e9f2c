//! An investigation, from what was asked for to what was found.

use clusterlore_cluster::LiveSource;
use clusterlore_cluster::reads::{NotRead, ReadLimits, Reads, clean};
use clusterlore_core::ResourceType;
use futures::future::BoxFuture;
use futures::future::join_all;
use jiff::Timestamp;

use super::findings::{Bearing, Cause, Diagnosis, Findings, ObjectName, SubjectFindings, Unread, Verdict};
use super::gather::{Gather, Limits};
use super::render::sections;
use super::rules::{diagnose, state, verdict};
use super::seen::Seen;

/// An object to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its type, at the version at which it is served.
    pub ty: ResourceType,
    /// Its namespace, or `_cluster`.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Looks at these objects, at the same time and with the caller's rights. Nothing is written, and nothing is kept.
#[tracing::instrument(name = "investigate", skip_all, fields(objects = i64::try_from(targets.len()).unwrap_or(i64::MAX)))]
pub fn investigate<'f>(source: &'f LiveSource, targets: &'f [Target], limits: &'f Limits) -> BoxFuture<'f, Findings> {
    Box::pin(async move {
        let log_lines = u32::try_from(limits.log_lines.saturating_mul(3)).unwrap_or(u32::MAX);
        let reads = source.reads(ReadLimits { time: limits.time, log_lines, ..ReadLimits::default() });
        let now = Timestamp::now();
        let looked = targets.iter().take(limits.subjects).map(|target| look(&reads, target, limits, now));
        Findings { subjects: join_all(looked).await, left_out: targets.len().saturating_sub(limits.subjects) }
    })
}

async fn look(reads: &Reads<'_>, target: &Target, limits: &Limits, now: Timestamp) -> SubjectFindings {
    let name = ObjectName::new(&target.ty.kind, &target.namespace, &target.name);
    let gather = Gather::new(reads, limits);
    let mut seen = match gather.subject(&target.ty, &target.namespace, &target.name).await {
        Ok(Some(object)) => Seen::new(object, now),
        Ok(None) => return absent(name),
        Err(why) => return unreadable(name, &why),
    };
    gather.all(&mut seen).await;
    let diagnoses = diagnose(&seen);
    SubjectFindings {
        state: state(&seen.subject),
        verdict: verdict(&seen, &diagnoses),
        subject: name,
        seen: sections(&seen),
        diagnoses,
        unread: seen.unread,
    }
}

fn absent(subject: ObjectName) -> SubjectFindings {
    let diagnosis = Diagnosis {
        cause: Cause::NotFound,
        bearing: Bearing::Failing,
        of: vec![subject.clone()],
        line: "there is no such object in the cluster".to_owned(),
        source: "https://kubernetes.io/docs/reference/using-api/api-concepts/",
        part: String::new(),
    };
    SubjectFindings {
        subject,
        state: "not there".to_owned(),
        verdict: Verdict::Failing,
        diagnoses: vec![diagnosis],
        seen: Vec::new(),
        unread: Vec::new(),
    }
}

fn unreadable(subject: ObjectName, why: &NotRead) -> SubjectFindings {
    let unread = Unread { what: subject.to_string(), why: clean(&why.to_string(), 200) };
    SubjectFindings {
        subject,
        state: "not read".to_owned(),
        verdict: Verdict::Unclear,
        diagnoses: Vec::new(),
        seen: Vec::new(),
        unread: vec![unread],
    }
}
