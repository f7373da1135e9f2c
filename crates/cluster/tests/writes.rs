//! What a server makes of an object that is applied, and what is told of one that refuses, breaks or says nothing of use.
#![allow(clippy::unwrap_used, missing_docs)]

use clusterlore_cluster::writes::{Manner, NotApplied};
use clusterlore_cluster::{LiveOptions, LiveSource};
use clusterlore_core::ResourceType;
use clusterlore_testkit::fake::{FakeApiServer, Fault};
use serde_json::json;

const JSON: &str = "application/json";
const PATH: &str = "/api/v1/namespaces/shop/configmaps/note";

#[tokio::test]
async fn whatever_a_server_says_is_told() {
    let server = FakeApiServer::start().await;
    let options = LiveOptions { kubeconfig: Some(server.kubeconfig().to_owned()), ..LiveOptions::default() };
    let source = LiveSource::connect(options).await.unwrap();
    let ty = ResourceType {
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
        ..ResourceType::default()
    };
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": "shop"}});
    let status = |code: u16, message: &str| {
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code});
        Fault::answers(code, &[("content-type", JSON)], status.to_string())
    };
    for (fault, expected) in [
        (Fault::answer(JSON, object.to_string()), Ok(())),
        (Fault::answers(201, &[("content-type", JSON)], object.to_string()), Ok(())),
        (status(409, "conflict with x"), Err(NotApplied::Conflict("conflict with x".into()))),
        (status(403, "webhook says no"), Err(NotApplied::Refused("403 webhook says no".into()))),
        (status(422, "a\nb"), Err(NotApplied::Refused("422 a b".into()))),
        (status(500, "etcd"), Err(NotApplied::Unknown("500 etcd".into()))),
    ] {
        server.clear_faults().forget_requests().fault(PATH, fault);
        for dry_run in [true, false] {
            let applied = source.apply(&ty, "shop", "note", &object, Manner { dry_run, force: false }).await;
            assert_eq!(applied.map(|_| ()), expected);
        }
        let seen = server.requests();
        // Never a second try: the first may have done it.
        assert_eq!(seen.iter().map(|seen| seen.method.as_str()).collect::<Vec<_>>(), ["PATCH"; 2]);
        let query = "fieldManager=clusterlore&fieldValidation=Strict&force=false";
        assert_eq!([&seen[0].query, &seen[1].query], [&format!("{query}&dryRun=All"), query]);
    }
    for fault in [Fault::answer(JSON, "[1"), Fault::answer(JSON, ""), Fault::answer(JSON, "[{},".repeat(200_000))] {
        server.clear_faults().fault(PATH, fault);
        let applied = source.apply(&ty, "shop", "note", &object, Manner { dry_run: false, force: true }).await;
        let error = applied.unwrap_err();
        assert!(matches!(&error, NotApplied::Unknown(_)) && error.to_string().lines().count() == 1, "{error:?}");
    }
}
