#!/usr/bin/env python3
"""Condenses the custom resource definitions that operators ship in their Go modules.

  fetch-crds.py [--cache DIR] [--all] [--list] [MODULE ...]

Fetches each module of MODULES at its fixed version with `go mod download` into a cache folder (default
$XDG_CACHE_HOME/fetch-crds), reads every CustomResourceDefinition out of it and prints, as YAML, one entry a type: group, kind, plural,
singular, short names, categories, scope, versions and the first sentence of its description. Without --all only the types of
the two corpora are printed. --list: the table of modules alone. Nothing fetched goes into the corpora but the names.

SEEN holds the types of operators whose Go modules do not carry their definitions; their names were read in the operators' public
repositories (the file stands beside each), and are printed with `source:` instead of `module:`.
"""
import argparse, json, os, re, subprocess, sys, zipfile
import yaml

# module, version, types wanted
MODULES = [
    ("github.com/kedacore/keda/v2", "v2.21.0", "scaledobjects.keda.sh scaledjobs.keda.sh triggerauthentications.keda.sh"),
    ("github.com/argoproj/argo-rollouts", "v1.10.2", "rollouts.argoproj.io analysistemplates.argoproj.io"),
    ("github.com/kyverno/kyverno", "v1.19.1", "clusterpolicies.kyverno.io policyexceptions.kyverno.io"),
    ("sigs.k8s.io/external-dns", "v0.23.0", "dnsendpoints.externaldns.k8s.io"),
    ("sigs.k8s.io/gateway-api", "v1.7.0", "gateways.gateway.networking.k8s.io httproutes.gateway.networking.k8s.io gatewayclasses.gateway.networking.k8s.io"),
    ("github.com/fluxcd/kustomize-controller", "v1.10.1", "kustomizations.kustomize.toolkit.fluxcd.io"),
    ("github.com/fluxcd/source-controller", "v1.10.1", "gitrepositories.source.toolkit.fluxcd.io helmrepositories.source.toolkit.fluxcd.io"),
    ("go.universe.tf/metallb", "v0.16.2", "ipaddresspools.metallb.io l2advertisements.metallb.io"),
    ("github.com/traefik/traefik/v3", "v3.7.13", "ingressroutes.traefik.io middlewares.traefik.io"),
    ("github.com/bitnami-labs/sealed-secrets", "v0.40.0", "sealedsecrets.bitnami.com"),
    ("github.com/dapr/dapr", "v1.14.0", "components.dapr.io subscriptions.dapr.io"),
    ("sigs.k8s.io/karpenter", "v1.15.0", "nodepools.karpenter.sh"),
    ("github.com/kubernetes-csi/external-snapshotter/client/v8", "v8.7.0", "volumesnapshots.snapshot.storage.k8s.io volumesnapshotclasses.snapshot.storage.k8s.io"),
    ("k8s.io/autoscaler/vertical-pod-autoscaler", "v1.8.1", "verticalpodautoscalers.autoscaling.k8s.io"),
    ("github.com/chaos-mesh/chaos-mesh", "v0.9.1-0.20260902003049-47411975a8cb", "podchaos.chaos-mesh.org"),
    ("github.com/cert-manager/cert-manager", "v1.21.2", "certificates.cert-manager.io clusterissuers.cert-manager.io issuers.cert-manager.io"),
    ("github.com/elastic/cloud-on-k8s/v3", "v3.5.0", "elasticsearches.elasticsearch.k8s.elastic.co beats.beat.k8s.elastic.co"),
    ("github.com/argoproj/argo-workflows/v4", "v4.0.5", "workflows.argoproj.io workflowtemplates.argoproj.io cronworkflows.argoproj.io clusterworkflowtemplates.argoproj.io"),
    ("github.com/ray-project/kuberay/ray-operator", "v1.5.0", "rayclusters.ray.io rayjobs.ray.io rayservices.ray.io"),
    ("github.com/kubeflow/training-operator", "v1.8.1", "pytorchjobs.kubeflow.org mpijobs.kubeflow.org"),
    ("sigs.k8s.io/kueue", "v0.17.0", "clusterqueues.kueue.x-k8s.io localqueues.kueue.x-k8s.io resourceflavors.kueue.x-k8s.io"),
    ("knative.dev/serving", "v0.51.0", "services.serving.knative.dev"),
    ("github.com/NVIDIA/gpu-operator", "v0.0.0-20250917190837-d73a0086a6ba", "clusterpolicies.nvidia.com"),
    ("github.com/cilium/cilium", "v1.20.2", "ciliumnetworkpolicies.cilium.io ciliumclusterwidenetworkpolicies.cilium.io"),
    ("github.com/cert-manager/trust-manager", "v0.25.0", "bundles.trust.cert-manager.io"),
    ("github.com/projectcontour/contour", "v1.33.8", "httpproxies.projectcontour.io"),
    ("github.com/open-policy-agent/gatekeeper/v3", "v3.23.1", "constrainttemplates.templates.gatekeeper.sh"),
    ("github.com/vmware-tanzu/velero", "v1.18.3", "schedules.velero.io backupstoragelocations.velero.io"),
    ("github.com/kubeflow/katib", "v0.19.0", "experiments.kubeflow.org trials.kubeflow.org"),
    ("github.com/k8snetworkplumbingwg/whereabouts", "v0.9.2", "ippools.whereabouts.cni.cncf.io"),
]
# repository and path, group, kind, plural, singular, scope, stored version, short names, categories
SEEN = [
    ("fluxcd/helm-controller config/crd/bases", "helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", "helmrelease", "Namespaced", "v2", "hr", ""),
    ("mariadb-operator/mariadb-operator config/crd/bases", "k8s.mariadb.com", "MariaDB", "mariadbs", "mariadb", "Namespaced", "v1alpha1", "mdb", ""),
    ("mariadb-operator/mariadb-operator config/crd/bases", "k8s.mariadb.com", "Backup", "backups", "backup", "Namespaced", "v1alpha1", "bmdb", ""),
    ("mariadb-operator/mariadb-operator config/crd/bases", "k8s.mariadb.com", "Database", "databases", "database", "Namespaced", "v1alpha1", "dmdb", ""),
    ("strimzi/strimzi-kafka-operator install/cluster-operator", "kafka.strimzi.io", "Kafka", "kafkas", "kafka", "Namespaced", "v1beta2", "k", "strimzi"),
    ("strimzi/strimzi-kafka-operator install/cluster-operator", "kafka.strimzi.io", "KafkaTopic", "kafkatopics", "kafkatopic", "Namespaced", "v1beta2", "kt", "strimzi"),
    ("strimzi/strimzi-kafka-operator install/cluster-operator", "kafka.strimzi.io", "KafkaUser", "kafkausers", "kafkauser", "Namespaced", "v1beta2", "ku", "strimzi"),
    ("spotahome/redis-operator manifests", "databases.spotahome.com", "RedisFailover", "redisfailovers", "redisfailover", "Namespaced", "v1", "rf", ""),
    ("rook/rook deploy/examples/crds.yaml", "ceph.rook.io", "CephCluster", "cephclusters", "cephcluster", "Namespaced", "v1", "", ""),
    ("rook/rook deploy/examples/crds.yaml", "ceph.rook.io", "CephObjectStore", "cephobjectstores", "cephobjectstore", "Namespaced", "v1", "", ""),
    ("k8snetworkplumbingwg/network-attachment-definition-client artifacts/networks-crd.yaml", "k8s.cni.cncf.io", "NetworkAttachmentDefinition", "network-attachment-definitions", "network-attachment-definition", "Namespaced", "v1", "net-attach-def", ""),
    ("minio/operator resources/base/crds", "minio.min.io", "Tenant", "tenants", "tenant", "Namespaced", "v2", "tenant", ""),
    ("zalando/postgres-operator manifests/postgresql.crd.yaml", "acid.zalan.do", "postgresql", "postgresqls", "postgresql", "Namespaced", "v1", "pg", "all"),
    ("nats-io/nack deploy/crds", "jetstream.nats.io", "Stream", "streams", "stream", "Namespaced", "v1beta2", "", ""),
    ("nats-io/nack deploy/crds", "jetstream.nats.io", "Consumer", "consumers", "consumer", "Namespaced", "v1beta2", "", ""),
    ("kubeflow/spark-operator config/crd/bases", "sparkoperator.k8s.io", "SparkApplication", "sparkapplications", "sparkapplication", "Namespaced", "v1beta2", "sparkapp", ""),
    ("kubeflow/spark-operator config/crd/bases", "sparkoperator.k8s.io", "ScheduledSparkApplication", "scheduledsparkapplications", "scheduledsparkapplication", "Namespaced", "v1beta2", "scheduledsparkapp", ""),
    ("kubeflow/kubeflow components/notebook-controller/config/crd/bases", "kubeflow.org", "Notebook", "notebooks", "notebook", "Namespaced", "v1", "", ""),
    ("open-telemetry/opentelemetry-operator config/crd/bases", "opentelemetry.io", "OpenTelemetryCollector", "opentelemetrycollectors", "opentelemetrycollector", "Namespaced", "v1beta1", "otelcol otelcols", ""),
    ("VictoriaMetrics/operator config/crd/bases", "operator.victoriametrics.com", "VMCluster", "vmclusters", "vmcluster", "Namespaced", "v1beta1", "", ""),
    ("VictoriaMetrics/operator config/crd/bases", "operator.victoriametrics.com", "VMRule", "vmrules", "vmrule", "Namespaced", "v1beta1", "", ""),
    ("VictoriaMetrics/operator config/crd/bases", "operator.victoriametrics.com", "VMServiceScrape", "vmservicescrapes", "vmservicescrape", "Namespaced", "v1beta1", "", ""),
    ("grafana/loki operator/config/crd/bases", "loki.grafana.com", "LokiStack", "lokistacks", "lokistack", "Namespaced", "v1", "", "logging"),
]


def fetch(module, version, cache):
    env = dict(os.environ, GOMODCACHE=os.path.join(cache, "mod"), GOFLAGS="-modcacherw")
    run = subprocess.run(["go", "mod", "download", "-json", f"{module}@{version}"], capture_output=True, text=True, env=env)
    try:
        answer = json.loads(run.stdout)
    except ValueError:
        sys.exit(f"{module}@{version}: {run.stderr.strip() or 'no answer from go'}")
    # A module that wants a newer Go is an error to go, but its zip was fetched and verified all the same.
    if not answer.get("Zip") or not os.path.exists(answer["Zip"]):
        sys.exit(f"{module}@{version}: {answer.get('Error', 'not fetched')}")
    return answer["Zip"]


def first_sentence(text):
    text = " ".join((text or "").split())
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0][:200]


def definitions(path):
    found = {}
    with zipfile.ZipFile(path) as z:
        for name in sorted(z.namelist()):
            if not name.endswith((".yaml", ".yml")) or "/testdata/" in name or "/vendor/" in name:
                continue
            text = z.read(name).decode("utf-8", "replace")
            if "kind: CustomResourceDefinition" not in text:
                continue
            text = "\n".join(line for line in text.split("\n") if not re.match(r"\s*(#|\{\{)", line))
            for part in re.split(r"(?m)^---.*$", text):
                if "CustomResourceDefinition" not in part:
                    continue
                try:
                    doc = yaml.load(part, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
                    spec = doc["spec"]
                    key = f'{spec["names"]["plural"]}.{spec["group"]}'
                    versions = [v["name"] for v in spec.get("versions", []) if v.get("served", True)]
                    stored = next((v for v in spec["versions"] if v.get("storage")), spec["versions"][0])
                except (yaml.YAMLError, KeyError, TypeError, IndexError, AttributeError):
                    continue
                names = spec["names"]
                old = found.get(key)
                entry = {"name": key, "group": spec["group"], "kind": names["kind"], "plural": names["plural"],
                         "singular": names.get("singular", names["kind"].lower()), "scope": spec["scope"], "versions": versions,
                         "storage": stored["name"]}
                for field in ("shortNames", "categories"):
                    if names.get(field):
                        entry[field] = names[field]
                described = (stored.get("schema") or {}).get("openAPIV3Schema", {}).get("description")
                if described:
                    entry["description"] = first_sentence(described)
                if not old or len(entry) > len(old):
                    found[key] = entry
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fetch-crds")
    p.add_argument("--cache", default=default)
    p.add_argument("--all", action="store_true")
    p.add_argument("--list", action="store_true")
    p.add_argument("module", nargs="*")
    a = p.parse_args()
    if a.list:
        for module, version, _ in MODULES:
            print(module, version)
        return
    out = []
    for module, version, wanted in MODULES:
        if a.module and module not in a.module:
            continue
        found = definitions(fetch(module, version, a.cache))
        for key in sorted(found) if a.all else wanted.split():
            if key not in found:
                print(f"{module}@{version}: {key} is not in it", file=sys.stderr)
                continue
            out.append(dict(found[key], module=f"{module}@{version}"))
    if not a.module:
        for line in SEEN:
            source, group, kind, plural, singular, scope, version, short, categories = line
            entry = {"name": f"{plural}.{group}", "group": group, "kind": kind, "plural": plural, "singular": singular,
                     "scope": scope, "versions": [version], "storage": version, "source": source}
            if short:
                entry["shortNames"] = short.split()
            if categories:
                entry["categories"] = categories.split()
            out.append(entry)
    yaml.safe_dump(out, sys.stdout, sort_keys=False, width=140, allow_unicode=True)


if __name__ == "__main__":
    main()
