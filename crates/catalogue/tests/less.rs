//! A catalogue that knows less than the binary's, to find out what its knowledge is worth.

use std::collections::{BTreeMap, BTreeSet};

use clusterlore_catalogue::{Catalogue, Meaning, Named};

fn recognised(catalogue: &Catalogue, name: &str, kind: &str, group: &str) -> Vec<String> {
    let labels = BTreeMap::new();
    let named = Named { name, kind, group, namespace: "", labels: &labels, annotations: "" };
    catalogue.recognise(&named).iter().map(|r| r.software.id.to_string()).collect()
}

#[test]
fn an_empty_one_answers_every_question_with_nothing() {
    let empty = Catalogue::empty();
    assert!(empty.categories().is_empty() && empty.all_software().is_empty());
    assert!(empty.groups().is_empty() && empty.kinds().is_empty());
    assert!(empty.asked("which redis deployments and databases are there, 数据库?").is_empty());
    assert!(recognised(&empty, "redis-cache", "Deployment", "apps").is_empty());
    assert!(empty.software_of_kind("postgresql.cnpg.io", "Cluster").is_none());
    assert!(empty.kind("apps", "Deployment").is_none() && !empty.is_a("database", "database"));
}

#[test]
fn what_is_left_out_is_not_known_and_everything_else_is() {
    let all = Catalogue::builtin();
    let less = all.without(&BTreeSet::from(["redis", "postgresql", "no-such-software"]));
    assert_eq!(less.all_software().len() + 2, all.all_software().len());
    assert!(less.software("redis").is_none() && less.software("postgresql").is_none());
    assert!(!recognised(&less, "redis", "Deployment", "apps").contains(&"redis".to_owned()));
    assert!(!less.asked("redis").iter().any(|a| matches!(a.meaning, Meaning::Software(s) if s.id == "redis")));
    assert_eq!(recognised(&less, "kafka", "Deployment", "apps"), recognised(all, "kafka", "Deployment", "apps"));
    assert_eq!((less.groups().len(), less.kinds().len()), (all.groups().len(), all.kinds().len()));
    assert_eq!(less.categories(), all.categories());
}

#[test]
fn no_pointer_leads_to_what_is_gone() {
    let all = Catalogue::builtin();
    let group = all.group("postgresql.cnpg.io").unwrap();
    let (runs, operator) = (group.runs.as_deref().unwrap(), group.software.as_deref().unwrap());
    let less = all.without(&BTreeSet::from([runs]));
    assert_eq!(less.software_of_kind("postgresql.cnpg.io", "Cluster").map(|s| &*s.id), Some(operator));
    let half: BTreeSet<&str> = all.all_software().iter().step_by(2).map(|s| &*s.id).collect();
    let less = all.without(&half);
    let of_groups = less.groups().iter().flat_map(|g| g.software.iter().chain(g.runs.iter()));
    let mut pointers = of_groups.chain(less.kinds().iter().filter_map(|k| k.software.as_ref()));
    assert!(pointers.all(|id| less.software(id).is_some()));
}
