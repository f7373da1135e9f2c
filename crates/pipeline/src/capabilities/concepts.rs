//! General ideas that stand behind the words of schemas, whoever wrote them. No product has its name here: those are the
//! catalogue's.

/// Something that a type may be about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Concept {
    /// Terms (stemmed, see `core::words::terms`) that tell of it; one with a space means that both words stand there.
    pub(super) told_by: &'static [&'static str],
    /// What people ask for.
    pub(super) tags: &'static [&'static str],
    /// What they do with it.
    pub(super) use_case: &'static str,
}

const fn concept(told_by: &'static [&'static str], tags: &'static [&'static str], use_case: &'static str) -> Concept {
    Concept { told_by, tags, use_case }
}

/// The narrower before the wider: at most three of them are taken.
#[rustfmt::skip]
pub(super) const CONCEPTS: &[Concept] = &[
    concept(&["sql", "rdbm", "rds"], &["relational database", "sql", "database"], "Run or claim a relational database for an application."),
    concept(&["database", "db", "dbaa"], &["database"], "Run or claim a database for an application."),
    concept(&["cache", "caching"], &["cache", "in memory store"], "Keep what is asked for often in memory."),
    concept(&["queue", "broker", "amqp", "messaging"], &["message queue", "messaging"], "Pass messages between services."),
    concept(&["topic", "pubsub", "stream"], &["event streaming", "messaging", "topic"], "Publish events and read them elsewhere."),
    concept(&["bucket", "blob", "objectstore"], &["object storage", "bucket"], "Store files as objects in a bucket."),
    concept(&["volume", "disk", "filesystem", "csi"], &["storage", "volume"], "Give a workload storage that outlives it."),
    concept(&["snapshot"], &["snapshot", "backup"], "Keep the state of data at a point in time."),
    concept(&["backup", "restore", "recovery"], &["backup", "restore", "disaster recovery"], "Save data and get it back after a loss."),
    concept(&["replication", "replica replication", "mirror"], &["replication"], "Keep a copy of data in another place."),
    concept(&["migration"], &["migration"], "Move data or a schema to a new state."),
    concept(&["certificate", "x509", "tls", "acme", "csr"], &["tls", "certificate"], "Secure a connection with a certificate."),
    concept(&["issuer", "ca"], &["certificate authority", "tls"], "Say who signs certificates."),
    concept(&["secret", "credential", "password", "keyvault"], &["secrets", "credentials"], "Get a secret to where it is needed without writing it down."),
    concept(&["encryption", "kms", "key encryption"], &["encryption", "keys"], "Encrypt data with keys that are kept elsewhere."),
    concept(&["oidc", "saml", "sso", "oauth", "ldap", "identity", "authentication", "idp"], &["identity", "authentication", "single sign on"], "Let people and services sign in."),
    concept(&["rbac", "permission", "role", "authorization", "iam", "grant"], &["access control", "permissions"], "Say who may do what."),
    concept(&["user", "account", "group user"], &["users", "accounts"], "Make an account for a person or a program."),
    concept(&["tenant", "multitenancy"], &["multi tenancy"], "Share a cluster between teams that do not see each other."),
    concept(&["policy", "constraint", "admission", "compliance"], &["policy", "compliance"], "Enforce rules on what may be deployed."),
    concept(&["vulnerability", "scan", "audit", "benchmark", "sbom"], &["security scanning", "compliance"], "Find weaknesses and breaches of rules."),
    concept(&["firewall", "waf", "networkpolicy", "securitygroup"], &["firewall", "network security"], "Allow or forbid traffic."),
    concept(&["gateway", "ingress", "httproute", "route", "virtualhost"], &["ingress", "routing", "http"], "Bring requests from outside to a service."),
    concept(&["loadbalancer", "balancer", "backend traffic", "targetgroup"], &["load balancing"], "Spread requests over several servers."),
    concept(&["dns", "hostedzone", "zone dns", "record dns", "nameserver", "dnsendpoint"], &["dns"], "Give a service a name that others find."),
    concept(&["mesh", "sidecar", "mtl", "virtualservice"], &["service mesh", "traffic management"], "Control how services talk to each other."),
    concept(&["bgp", "ippool", "ipam", "subnet", "vpc", "network", "vlan", "cni"], &["networking"], "Lay out the network that workloads use."),
    concept(&["vpn", "tunnel", "wireguard", "peering"], &["vpn", "private network"], "Join networks that lie apart."),
    concept(&["cdn", "distribution cdn"], &["content delivery"], "Bring content near to those who read it."),
    concept(&["alert", "alerting", "oncall", "incident", "silence"], &["alerting", "monitoring"], "Be told when something goes wrong."),
    concept(&["monitor", "scrape", "metric"], &["metrics", "monitoring"], "Collect numbers on how something runs."),
    concept(&["log", "logging"], &["logging", "logs"], "Collect logs and send them where they are kept."),
    concept(&["trace", "tracing", "telemetry", "instrumentation", "span"], &["tracing", "telemetry"], "Follow a request through services."),
    concept(&["dashboard", "visualization", "datasource"], &["dashboards", "visualization"], "Look at metrics in pictures."),
    concept(&["slo", "servicelevel"], &["service level objectives", "monitoring"], "Say how reliable a service must be, and watch it."),
    concept(&["autoscaler", "autoscaling", "scaledobject", "scaling", "scaler"], &["autoscaling"], "Run more or fewer of something as the load changes."),
    concept(&["pipeline", "build", "ci", "task pipeline", "runner"], &["ci/cd", "pipeline", "build"], "Build, test and deliver software."),
    concept(&["gitop", "kustomization", "applicationset", "gitrepository", "reconcile git"], &["gitops", "continuous delivery"], "Deploy what stands in a Git repository."),
    concept(&["chart", "package"], &["package", "deployment"], "Install and upgrade packaged software."),
    concept(&["rollout", "canary", "bluegreen", "progressive"], &["progressive delivery", "canary", "rollout"], "Bring a new version to a few users first."),
    concept(&["workflow", "dag", "cronworkflow", "orchestration"], &["workflow", "batch jobs"], "Run steps in an order, again when they fail."),
    concept(&["cron", "schedule", "cronjob"], &["scheduled jobs"], "Do something again and again at set times."),
    concept(&["job", "batch"], &["batch jobs"], "Run something to its end."),
    concept(&["function", "serverless", "faa"], &["serverless", "functions"], "Run code on request, down to nothing when idle."),
    concept(&["image", "registry", "repository image", "oci", "imagerepository"], &["container images", "registry"], "Keep and find container images."),
    concept(&["vm", "virtualmachine", "hypervisor"], &["virtual machines"], "Run virtual machines beside containers."),
    concept(&["node", "machine", "nodepool", "machinedeployment", "baremetal"], &["machines", "nodes", "infrastructure"], "Get machines for a cluster and look after them."),
    concept(&["controlplane", "managedcluster", "cluster infrastructure"], &["kubernetes clusters", "infrastructure"], "Make and upgrade Kubernetes clusters."),
    concept(&["gpu", "device", "accelerator"], &["gpu", "devices"], "Give workloads GPUs and other devices."),
    concept(&["model", "inference", "training", "ml", "notebook", "llm", "experiment"], &["machine learning"], "Train models and serve them."),
    concept(&["etl", "dataset", "warehouse", "lakehouse"], &["data processing", "analytics"], "Work through large amounts of data."),
    concept(&["index search", "search", "fulltext"], &["search engine", "full text search"], "Find text fast."),
    concept(&["mail", "smtp", "email"], &["mail"], "Send and receive mail."),
    concept(&["notification", "webhook", "receiver"], &["notifications"], "Tell people or programs that something happened."),
    concept(&["cost", "budget", "billing"], &["cost"], "Know what things cost and keep it within bounds."),
    concept(&["chao", "fault"], &["chaos engineering", "testing"], "Break things on purpose to see what holds."),
    concept(&["quota", "limit"], &["quota", "limits"], "Keep one team from using everything."),
    concept(&["eviction", "disruption", "descheduler", "priority"], &["scheduling", "availability"], "Decide what runs where, and what may be interrupted."),
    concept(&["composition", "providerconfig", "stack"], &["infrastructure as code", "cloud resources"], "Manage cloud resources from the cluster."),
];

/// Clouds and systems that stand behind a type, by the word that tells of them in groups, kinds and field names.
pub(super) const PROVIDERS: &[(&str, &str)] = &[
    ("acme", "acme"),
    ("akamai", "akamai"),
    ("akeyless", "akeyless"),
    ("alibaba", "alibaba cloud"),
    ("aws", "aws"),
    ("azure", "azure"),
    ("azureblob", "azure"),
    ("azuredns", "azure"),
    ("azurekv", "azure"),
    ("bitwarden", "bitwarden"),
    ("clouddns", "gcp"),
    ("cloudflare", "cloudflare"),
    ("conjur", "conjur"),
    ("digitalocean", "digitalocean"),
    ("doppler", "doppler"),
    ("exoscale", "exoscale"),
    ("gcp", "gcp"),
    ("gcpsm", "gcp"),
    ("gcs", "gcp"),
    ("github", "github"),
    ("gitlab", "gitlab"),
    ("google", "gcp"),
    ("hetzner", "hetzner"),
    ("ibm", "ibm cloud"),
    ("infisical", "infisical"),
    ("kubernetes", "kubernetes"),
    ("linode", "linode"),
    ("minio", "minio"),
    ("onepassword", "1password"),
    ("openstack", "openstack"),
    ("oracle", "oracle cloud"),
    ("ovh", "ovh"),
    ("pagerduty", "pagerduty"),
    ("proxmox", "proxmox"),
    ("route53", "aws"),
    ("s3", "s3"),
    ("scaleway", "scaleway"),
    ("selfsigned", "self-signed"),
    ("slack", "slack"),
    ("swift", "openstack"),
    ("vault", "vault"),
    ("venafi", "venafi"),
    ("vsphere", "vsphere"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_of_a_concept_is_stemmed_and_tells_of_one_only() {
        let mut seen = std::collections::BTreeMap::new();
        for concept in CONCEPTS {
            for told_by in concept.told_by {
                for word in told_by.split(' ') {
                    assert_eq!(clusterlore_core::words::stem(word), word, "{told_by}");
                }
                assert_eq!(seen.insert(*told_by, concept.use_case), None, "{told_by}");
            }
            assert!(!concept.tags.is_empty() && concept.use_case.ends_with('.'));
        }
        assert!(PROVIDERS.is_sorted_by_key(|(word, _)| *word));
    }
}
