//! What must hold of the built-in data beyond what the build checks.

use std::collections::BTreeSet;

use clusterlore_catalogue::{Catalogue, Role};

/// Every kind that a plain Kubernetes API server may serve, as `plural group`.
const BUILT_IN: &str = "
bindings, componentstatuses, configmaps, endpoints, events, limitranges, namespaces, nodes, persistentvolumeclaims,
persistentvolumes, pods, podtemplates, replicationcontrollers, resourcequotas, secrets, serviceaccounts, services,
mutatingadmissionpolicies admissionregistration.k8s.io, mutatingadmissionpolicybindings admissionregistration.k8s.io,
mutatingwebhookconfigurations admissionregistration.k8s.io, validatingadmissionpolicies admissionregistration.k8s.io,
validatingadmissionpolicybindings admissionregistration.k8s.io, validatingwebhookconfigurations admissionregistration.k8s.io,
customresourcedefinitions apiextensions.k8s.io, apiservices apiregistration.k8s.io, controllerrevisions apps,
daemonsets apps, deployments apps, replicasets apps, statefulsets apps, selfsubjectreviews authentication.k8s.io,
tokenreviews authentication.k8s.io, localsubjectaccessreviews authorization.k8s.io,
selfsubjectaccessreviews authorization.k8s.io, selfsubjectrulesreviews authorization.k8s.io,
subjectaccessreviews authorization.k8s.io, horizontalpodautoscalers autoscaling, cronjobs batch, jobs batch,
certificatesigningrequests certificates.k8s.io, clustertrustbundles certificates.k8s.io,
podcertificaterequests certificates.k8s.io, leasecandidates coordination.k8s.io, leases coordination.k8s.io,
endpointslices discovery.k8s.io, events events.k8s.io, flowschemas flowcontrol.apiserver.k8s.io,
prioritylevelconfigurations flowcontrol.apiserver.k8s.io, storageversions internal.apiserver.k8s.io,
ingressclasses networking.k8s.io, ingresses networking.k8s.io, ipaddresses networking.k8s.io,
networkpolicies networking.k8s.io, servicecidrs networking.k8s.io, runtimeclasses node.k8s.io,
poddisruptionbudgets policy, clusterrolebindings rbac.authorization.k8s.io, clusterroles rbac.authorization.k8s.io,
rolebindings rbac.authorization.k8s.io, roles rbac.authorization.k8s.io, deviceclasses resource.k8s.io,
devicetaintrules resource.k8s.io, resourceclaims resource.k8s.io, resourceclaimtemplates resource.k8s.io,
resourceslices resource.k8s.io, priorityclasses scheduling.k8s.io, workloads scheduling.k8s.io,
csidrivers storage.k8s.io, csinodes storage.k8s.io, csistoragecapacities storage.k8s.io, storageclasses storage.k8s.io,
volumeattachments storage.k8s.io, volumeattributesclasses storage.k8s.io,
storageversionmigrations storagemigration.k8s.io";

#[test]
fn enough_is_known() {
    let all = Catalogue::builtin();
    assert!(all.categories().len() >= 90, "{} categories", all.categories().len());
    assert!(all.all_software().len() >= 300, "{} software", all.all_software().len());
    assert!(all.groups().len() >= 120, "{} groups", all.groups().len());
}

#[test]
fn all_built_in_kinds_are_there_with_everything_told() {
    let known: Vec<_> = Catalogue::builtin().kinds().iter().filter(|k| k.built_in).collect();
    let names: BTreeSet<String> = known.iter().map(|k| format!("{} {}", k.plural, k.group).trim().to_owned()).collect();
    let expected: BTreeSet<String> = BUILT_IN.split(',').map(|n| n.trim().to_owned()).collect();
    assert_eq!(names, expected);
    for kind in known {
        assert!(
            !kind.capabilities.is_empty() && !kind.use_case.is_empty() && !kind.synonyms.is_empty(),
            "{}",
            kind.name()
        );
        assert!([&kind.de, &kind.fr, &kind.es, &kind.pt, &kind.zh].iter().all(|l| !l.is_empty()), "{}", kind.name());
    }
}

#[test]
fn every_category_can_be_asked_for_in_every_language() {
    for c in Catalogue::builtin().categories() {
        assert!(c.phrases.len() >= 3 || c.phrases.iter().any(|p| p == "operator"), "{} has few phrases", c.id);
        assert!([&c.de, &c.fr, &c.es, &c.pt, &c.zh].iter().all(|l| !l.is_empty()), "{}", c.id);
    }
}

#[test]
fn every_category_has_software_or_narrower_categories_or_groups() {
    let all = Catalogue::builtin();
    for c in all.categories() {
        let id = &c.id;
        let used = all.all_software().iter().any(|s| s.categories.contains(id))
            || all.groups().iter().any(|g| g.categories.contains(id))
            || all.categories().iter().any(|n| n.parents.contains(id));
        assert!(used, "{id} is nobody's");
    }
}

#[test]
fn lookups_find_what_is_there() {
    let all = Catalogue::builtin();
    assert_eq!(all.software("postgresql").unwrap().title, "PostgreSQL");
    assert_eq!(all.group("postgresql.cnpg.io").unwrap().title, "CloudNativePG");
    assert_eq!(all.group("ec2.services.k8s.aws").unwrap().group, "*.services.k8s.aws");
    assert_eq!(all.group("rds.services.k8s.aws").unwrap().group, "rds.services.k8s.aws");
    assert_eq!(all.group("example.org"), None);
    assert_eq!(all.kind("batch", "CronJob").unwrap().role, Role::Workload);
    assert_eq!(all.kind("postgresql.cnpg.io", "ScheduledBackup").unwrap().role, Role::Config);
    assert_eq!(all.software_of_kind("postgresql.cnpg.io", "Cluster").unwrap().id, "postgresql");
    assert_eq!(all.software_of_kind("argoproj.io", "Rollout").unwrap().id, "argo-rollouts");
    assert!(all.is_a("relational-database", "database") && all.is_a("database", "database"));
    assert!(all.is_a("distributed-sql", "database"));
    assert!(!all.is_a("database", "relational-database") && !all.is_a("cache", "database"));
    assert!(!all.is_a("nothing", "nothing"));
}

#[test]
fn the_words_of_names_and_phrases_are_known() {
    let all = Catalogue::builtin();
    for word in ["postgres", "postgresql", "database", "databases", "caches", "statefulset", "statefulsets", "cert"] {
        assert!(all.knows(word), "{word}");
    }
    for word in ["databse", "statfulset", "postgress", "datenbank", ""] {
        assert!(!all.knows(word), "{word}");
    }
    assert!(all.words().collect::<Vec<_>>().is_sorted());
}
