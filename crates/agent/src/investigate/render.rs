//! Findings as plain text, and what was seen as lines.

use std::fmt::Write as _;

use clusterlore_cluster::reads::{Event, Object, clean};

use super::facts::{Condition, MESSAGE, containers, is_ready, message, selector, word};
use super::findings::{Bearing, Diagnosis, Findings, ObjectName, Section, SubjectFindings, Verdict};
use super::reaching::endpoints_line;
use super::running::waits_for;
use super::seen::Seen;

/// Lines of one section.
const LINES: usize = 12;
/// Events of one object.
const EVENTS: usize = 5;

/// Findings for a reader: what it comes to, why, what was seen, and what was not.
pub fn text(findings: &Findings) -> String {
    let mut out = String::new();
    for (number, subject) in findings.subjects.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        one(&mut out, subject);
    }
    if findings.left_out > 0 {
        let _ = writeln!(out, "\n{} more were not looked at.", findings.left_out);
    }
    out
}

fn one(out: &mut String, found: &SubjectFindings) {
    let name = clean(&found.subject.to_string(), MESSAGE);
    let verdict = match found.verdict {
        Verdict::Failing => "",
        Verdict::Stopped => "; somebody wants it so",
        Verdict::Fine => "; nothing wrong was seen",
        Verdict::Unclear => "; nothing wrong was seen, and not everything could be read",
    };
    let _ = writeln!(out, "{name}: {}{verdict}.", found.state);
    for (bearing, title) in [(Bearing::Failing, "Why"), (Bearing::Intended, "Wanted"), (Bearing::Notice, "Also")] {
        let of_bearing = found.diagnoses.iter().filter(|diagnosis| diagnosis.bearing == bearing);
        for (number, diagnosis) in of_bearing.enumerate() {
            let title = if number == 0 { title } else { "" };
            let _ = writeln!(out, "  {title:<7} {}", line(diagnosis));
        }
    }
    for section in &found.seen {
        let _ = writeln!(out, "  {}:", section.title);
        for line in &section.lines {
            let _ = writeln!(out, "    {line}");
        }
    }
    if !found.unread.is_empty() {
        out.push_str("  Not read:\n");
        for unread in &found.unread {
            let _ = writeln!(out, "    {}: {}", clean(&unread.what, MESSAGE), clean(&unread.why, MESSAGE));
        }
    }
}

/// `Pod shop/a (and 2 more): container main …`
fn line(diagnosis: &Diagnosis) -> String {
    let more = match diagnosis.of.len() {
        0 | 1 => String::new(),
        some => format!(" (and {} more)", some - 1),
    };
    let of = diagnosis.of.first().map(ToString::to_string).unwrap_or_default();
    format!("{}{more}: {}", clean(&of, MESSAGE), diagnosis.line)
}

/// What was seen, in the order in which the rules look.
pub(super) fn sections(seen: &Seen) -> Vec<Section> {
    let conditions = conditions(&seen.subject);
    let owners = seen.owners.iter().map(shown).collect();
    let made = seen.made.iter().map(|made| format!("{}{}", shown(made), replicas_of(made))).collect();
    let pods = seen.pods.iter().map(pod).collect();
    let claims = seen.claims.iter().map(|claim| {
        let class = claim.text("/spec/storageClassName");
        let class =
            if class.is_empty() { "no storage class".to_owned() } else { format!("storage class {}", word(class)) };
        format!("{}: {}, {class}", shown(claim), word(claim.text("/status/phase")))
    });
    let references = seen.references.iter().filter(|r| r.kind != "PersistentVolumeClaim").map(|reference| {
        let there = match reference.there {
            Some(true) => "there",
            Some(false) => "not there",
            None => "not read",
        };
        format!("{} {} for {}: {there}", reference.kind, word(&reference.name), reference.for_what)
    });
    let nodes = seen.nodes.iter().flat_map(|node| {
        let ready = Condition::of(node, "Ready").map_or_else(|| "not ready".to_owned(), Condition::says);
        [format!("{}: {ready}", shown(node))]
    });
    let services = seen.services.iter().map(|service| {
        let endpoints = seen.slices.get(service.name()).map(|slices| endpoints_line(slices));
        let endpoints = endpoints.unwrap_or_else(|| "endpoints not read".to_owned());
        let selector = selector(service).map(|s| format!(", selector {}", word(&s))).unwrap_or_default();
        format!("{}: {endpoints}{selector}", shown(service))
    });
    let ingresses = seen.ingresses.iter().map(shown);
    let certificates = seen.certificates.iter().map(|certificate| {
        let ready = Condition::of(certificate, "Ready")
            .map_or_else(|| "it does not say whether it is ready".to_owned(), Condition::says);
        format!("{}: {ready}", shown(certificate))
    });
    let autoscalers = seen.autoscalers.iter().flat_map(|autoscaler| {
        let name = shown(autoscaler);
        self::conditions(autoscaler).into_iter().map(move |line| format!("{name}: {line}")).collect::<Vec<_>>()
    });
    let mut sections = vec![
        section("Conditions", conditions),
        section("Made by", owners),
        section("Made", made),
        section("Pods", pods),
        section("Claims", claims.collect()),
        section("Needs", references.collect()),
        section("Nodes", nodes.collect()),
        section("Events", events(seen)),
    ];
    for log in seen.logs.iter().filter(|log| !log.lines.is_empty()) {
        let when = if log.previous { ", before its last start" } else { "" };
        let title = format!("Log of container {} of Pod {}{when}", word(&log.container), word(&log.pod));
        sections.push(Section { title, lines: log.lines.clone() });
    }
    sections.extend([
        section("Services", services.collect()),
        section("Ingresses", ingresses.collect()),
        section("Certificates", certificates.collect()),
        section("Autoscalers", autoscalers.collect()),
    ]);
    sections.retain(|section| !section.lines.is_empty());
    sections
}

fn section(title: &str, mut lines: Vec<String>) -> Section {
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("… and {more} more"));
    }
    Section { title: title.to_owned(), lines }
}

fn shown(object: &Object) -> String {
    clean(&ObjectName::of(object).to_string(), MESSAGE)
}

fn conditions(object: &Object) -> Vec<String> {
    let line = |c: Condition<'_>| {
        let reason = if c.reason().is_empty() { String::new() } else { format!(" ({})", word(c.reason())) };
        let said = if c.message().is_empty() { String::new() } else { format!(": {}", message(c.message())) };
        format!("{} is {}{reason}{said}", word(c.name()), word(c.status()))
    };
    Condition::all(object).map(line).collect()
}

fn replicas_of(object: &Object) -> String {
    match super::facts::replicas(object) {
        Some((ready, wanted)) => format!(": {ready} of {wanted} ready"),
        None => String::new(),
    }
}

/// `Pod shop/a: Running, 1 of 2 containers ready, 3 restarts; container main waits (CrashLoopBackOff): …`
fn pod(pod: &Object) -> String {
    let all = containers(pod);
    let ready = all.iter().filter(|c| !c.init && c.is_ready()).count();
    let number = all.iter().filter(|c| !c.init).count();
    let restarts: u64 = all.iter().map(|c| c.restarts()).sum();
    let restarts = match restarts {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        some => format!(", {some} restarts"),
    };
    let phase = match pod.text("/status/phase") {
        "" => "Pending".to_owned(),
        phase => word(phase),
    };
    let why = if is_ready(pod) || phase == "Succeeded" { String::new() } else { format!("; {}", waits_for(pod)) };
    format!("{}: {phase}, {ready} of {number} containers ready{restarts}{why}", shown(pod))
}

/// Warnings, and what was normal where there are none of these.
fn events(seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    for (of, events) in &seen.events {
        let warnings: Vec<&Event> = events.iter().rev().filter(|event| event.warning).take(EVENTS).collect();
        let shown: Vec<&Event> = if warnings.is_empty() { events.iter().rev().take(2).collect() } else { warnings };
        lines.extend(shown.into_iter().rev().map(|event| {
            let count = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
            let at = if event.last.is_empty() { String::new() } else { format!("{} ", event.last) };
            (
                event.last.clone(),
                format!("{at}{} {}{count}: {}", clean(&of.to_string(), MESSAGE), event.reason, message(&event.message)),
            )
        }));
    }
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    let skip = lines.len().saturating_sub(LINES);
    lines.into_iter().skip(skip).map(|(_, line)| line).collect()
}
