use proptest::prelude::*;

use super::*;

/// What a list of metadata says that it is.
pub(crate) const LIST: (&str, &str) = ("meta.k8s.io/v1", "PartialObjectMetadataList");
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf;as=partialobjectmetadatalist;g=meta.k8s.io;v=v1";
const JSON: &str = "application/json";

/// A field with a length.
pub(crate) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::encode_varint(u64::from(number) << 3 | 2, &mut out);
    prost::encoding::encode_varint(content.len() as u64, &mut out);
    [&out, content].concat()
}

/// A body that says what it is, with this inside.
pub(crate) fn envelope((api_version, kind): (&str, &str), raw: &[u8]) -> Vec<u8> {
    let typed = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), field(1, &typed), field(2, raw), field(3, b""), field(4, b"")].concat()
}

pub(crate) fn text(number: u8, text: &str) -> Vec<u8> {
    field(number, text.as_bytes())
}

fn entry(number: u8, key: &str, value: &[u8]) -> Vec<u8> {
    field(number, &[text(1, key), field(2, value)].concat())
}

fn object(metadata: &[Vec<u8>]) -> Vec<u8> {
    field(2, &field(1, &metadata.concat()))
}

fn pod(name: &str) -> Vec<u8> {
    object(&[text(1, name), text(3, "n"), text(5, "u"), text(6, "7"), entry(11, "app", b"web")])
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    envelope(LIST, &[field(1, &text(3, "next")), items.concat()].concat())
}

pub(crate) fn pods() -> ResourceType {
    ResourceType {
        version: "v1".into(),
        kind: "Pod".into(),
        plural: "pods".into(),
        namespaced: true,
        ..ResourceType::default()
    }
}

fn deployments() -> ResourceType {
    ResourceType { group: "apps".into(), kind: "Deployment".into(), plural: "deployments".into(), ..pods() }
}

fn read(content_type: &str, body: &[u8], ty: &ResourceType) -> Result<Page, String> {
    let whole = page(content_type, body, Asked::new(ty, None), usize::MAX);
    for size in [1, 3, 17] {
        assert_eq!(page(content_type, body, Asked::new(ty, None), size), whole, "in pieces of {size}");
    }
    whole
}

fn protobuf(body: &[u8]) -> Result<Page, String> {
    read(PROTOBUF, body, &pods())
}

fn json(body: &str) -> Result<Page, String> {
    read(JSON, body.as_bytes(), &pods())
}

fn names(page: &Page) -> Vec<&str> {
    page.instances.iter().map(|o| o.name.as_str()).collect()
}

#[test]
fn whole_objects_in_json_lose_everything_but_the_kept_fields() {
    let body = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"t"},"items":[
        {"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"5","creationTimestamp":"2026-01-02T03:04:05Z",
          "labels":{"app":"x"},"annotations":{"a/description":"d","last":"{\"data\":\"c2VjcmV0\"}"},
          "ownerReferences":[{"apiVersion":"v1","kind":"A","name":"o1","uid":"1"},
            {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"o2","uid":"2","controller":true}],
          "managedFields":[{"manager":"m"}]},
         "data":{"password":"c2VjcmV0"},"type":"Opaque"},
        {"metadata":{"name":"b","namespace":"n","annotations":null,"labels":null,"ownerReferences":null}}]}"#;
    let page = json(body).unwrap();
    assert_eq!((page.next.as_str(), page.version.as_str()), ("t", "7"));
    assert!(!format!("{page:?}").contains("c2VjcmV0"));
    let a = &page.instances[0];
    assert_eq!((a.id.as_str(), a.uid.as_str(), a.resource_version.as_str()), ("n/v1/Pod/a", "u", "5"));
    assert_eq!(a.created_at, "2026-01-02T03:04:05Z");
    assert_eq!(a.annotations, [("a/description".to_owned(), "d".to_owned())].into());
    assert_eq!(a.owner.as_ref().unwrap().name, "o2");
    assert_eq!(page.instances[1].id, "n/v1/Pod/b");
}

/// An object with annotations, in either form.
fn annotated(annotations: &[(&str, &str)]) -> [(&'static str, Vec<u8>); 2] {
    let mut metadata = vec![text(1, "a"), text(3, "n")];
    metadata.extend(annotations.iter().map(|(key, value)| entry(12, key, value.as_bytes())));
    let pairs: BTreeMap<&str, &str> = annotations.iter().copied().collect();
    let item = serde_json::json!({"metadata": {"name": "a", "namespace": "n", "annotations": pairs}});
    let json = serde_json::json!({"kind": LIST.1, "apiVersion": LIST.0, "metadata": {}, "items": [item]});
    [(PROTOBUF, list(&[object(&metadata)])), (JSON, json.to_string().into_bytes())]
}

#[test]
fn annotations_that_were_asked_for_are_kept_beside_descriptions() {
    let long = "ä".repeat(ANNOTATION_BYTES);
    let all = [
        ("description", "d"),
        ("example.org/owner", "night owls"),
        ("example.org/long", &long),
        ("other", "c2VjcmV0"),
        ("kubectl.kubernetes.io/last-applied-configuration", "c2VjcmV0"),
        ("example.org/last-applied", "c2VjcmV0"),
    ];
    let secrets = ResourceType { kind: "Secret".into(), plural: "secrets".into(), ..pods() };
    let (some, every) = ("example.org/*".parse().unwrap(), "*".parse().unwrap());
    for (form, body) in annotated(&all) {
        let kept = |ty: &ResourceType, choice: &AnnotationChoice| {
            let page = page(form, &body, Asked::new(ty, None).keeping(choice), 7).unwrap();
            let object = page.instances.into_iter().next().unwrap();
            assert_eq!(object.annotations, [("description".to_owned(), "d".to_owned())].into(), "{form}");
            object.kept_annotations
        };
        let of = kept(&pods(), &some);
        assert_eq!(of.keys().collect::<Vec<_>>(), ["example.org/long", "example.org/owner"], "{form}");
        assert_eq!((of["example.org/owner"].as_str(), of["example.org/long"].len()), ("night owls", ANNOTATION_BYTES));
        let of = kept(&pods(), &every);
        assert_eq!(of.keys().collect::<Vec<_>>(), ["description", "example.org/long", "example.org/owner", "other"]);
        assert_eq!(kept(&secrets, &every), BTreeMap::new(), "{form}");
        assert_eq!(kept(&pods(), &AnnotationChoice::default()), BTreeMap::new(), "{form}");
    }
    // What is asked for and is no text is not there; what is not asked for is not looked at.
    let odd = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","namespace":"n",
        "annotations":{"x":{"y":[1]},"n":7,"z":"z"}}}]}"#;
    for choice in [&every, &some] {
        let page = page(JSON, odd.as_bytes(), Asked::new(&pods(), None).keeping(choice), 4096).unwrap();
        assert_eq!(page.instances[0].kept_annotations.contains_key("z"), choice == &every);
    }
}

#[test]
fn objects_in_protobuf_lose_everything_but_the_kept_fields() {
    let owner = |name: &str, controller: u8| {
        let fields = [text(1, "ReplicaSet"), text(3, name), text(4, "2"), text(5, "apps/v1"), vec![6 << 3, controller]];
        field(13, &fields.concat())
    };
    let mut seconds = vec![1 << 3];
    prost::encoding::encode_varint(1_767_323_045, &mut seconds);
    let rich = object(&[
        text(1, "a"),
        text(3, "n"),
        field(8, &seconds),
        entry(12, "description", b"Web server"),
        entry(12, "kubectl.kubernetes.io/last-applied-configuration", b"{\"data\":\"c2VjcmV0\"}"),
        owner("o1", 0),
        owner("o2", 1),
        field(17, b"managed"),
    ]);
    let metadata = field(1, &[text(2, "9"), text(3, "next")].concat());
    let page = protobuf(&envelope(LIST, &[metadata, rich, pod("b")].concat())).unwrap();
    assert_eq!((page.next.as_str(), page.version.as_str()), ("next", "9"));
    assert!(!format!("{page:?}").contains("c2VjcmV0"));
    let a = &page.instances[0];
    assert_eq!(a.annotations, [("description".to_owned(), "Web server".to_owned())].into());
    assert_eq!((a.owner.as_ref().unwrap().name.as_str(), a.created_at.as_str()), ("o2", "2026-01-02T03:04:05Z"));
    let b = &page.instances[1];
    assert_eq!((b.id.as_str(), b.uid.as_str(), b.labels["app"].as_str()), ("n/v1/Pod/b", "u", "web"));
    assert_eq!((page.next.as_str(), page.unreadable.reason()), ("next", None));
}

#[test]
fn an_answer_is_a_list_only_if_it_says_so() {
    let inside = [field(1, b""), pod("a")].concat();
    for (said, taken) in [
        (LIST, true),
        (("v1", "PodList"), true),
        (("meta.k8s.io/v1beta1", "PartialObjectMetadataList"), true),
        (("", ""), false),
        (("v1", "Status"), false),
        (("v1", "Pod"), false),
        (("v1", "SecretList"), false),
        (("v1", "List"), false),
        (("apps/v1", "PodList"), false),
        (("example.org/v1", "PartialObjectMetadataList"), false),
        (("meta.k8s.io/v1", "PartialObjectMetadata"), false),
        (("meta.k8s.io/v1", "Table"), false),
    ] {
        assert_eq!(protobuf(&envelope(said, &inside)).is_ok(), taken, "{said:?}");
        let (api_version, kind) = said;
        let typed = format!(r#""kind":"{kind}","apiVersion":"{api_version}""#);
        let rest = r#""metadata":{},"items":[{"metadata":{"name":"a","namespace":"n"}}]"#;
        for body in [format!("{{{typed},{rest}}}"), format!("{{{rest},{typed}}}")] {
            assert_eq!(json(&body).is_ok(), taken, "{body}");
        }
    }
    let of_group = |said| read(PROTOBUF, &envelope(said, &inside), &deployments());
    assert!(of_group(("apps/v1", "DeploymentList")).is_ok() && of_group(("apps/v1beta1", "DeploymentList")).is_ok());
    assert!(of_group(("v1", "DeploymentList")).is_err());
}

#[test]
fn an_answer_is_a_list_only_if_it_has_metadata_and_items() {
    let plain = field(1, &[text(1, LIST.0), text(2, LIST.1)].concat());
    for body in [
        b"".to_vec(),
        b"k8s\0".to_vec(),
        [b"k8s\0".to_vec(), plain.clone()].concat(),
        [b"k8s\0".to_vec(), plain, field(2, b"")].concat(),
        [b"k8s\0".to_vec(), field(2, &field(1, b""))].concat(),
        envelope(LIST, b""),
        envelope(LIST, &pod("a")),
        envelope(LIST, &[field(1, b""), field(1, b"")].concat()),
        envelope(LIST, &field(1, &field(1, &field(1, &field(1, b""))))),
        envelope(LIST, &field(1, &field(1, b"\xff"))),
        b"<html>".to_vec(),
    ] {
        assert!(protobuf(&body).is_err(), "{body:?}");
    }
    assert!(protobuf(&envelope(LIST, &field(1, b""))).unwrap().instances.is_empty());
    let of = |rest: &str| json(&format!(r#"{{"kind":"PodList","apiVersion":"v1"{rest}}}"#));
    for rest in [
        "",
        r#","items":[]"#,
        r#","metadata":{}"#,
        r#","metadata":null,"items":[]"#,
        r#","metadata":{},"items":{}"#,
        r#","metadata":{},"items":"""#,
        r#","metadata":[],"items":[]"#,
        r#","metadata":{},"rows":[]"#,
        r#","metadata":{},"items":[],"items":[]"#,
        r#","metadata":{},"items":[],"kind":"PodList""#,
        r#","metadata":{},"items":[],"metadata":{}"#,
    ] {
        assert!(of(rest).is_err(), "{rest}");
    }
    assert!(of(r#","metadata":{},"items":null"#).is_ok() && of(r#","metadata":{},"items":[]"#).is_ok());
    for body in ["{}", r#"{"items":[]}"#, r#"{"kind":"Status","status":"Failure","items":null}"#, "[]", "null", "7", ""]
    {
        assert!(json(body).is_err(), "{body}");
    }
    let html = read("text/html", b"<html>", &pods()).unwrap_err();
    assert_eq!(html, "the answer is \"text/html\"; expected JSON or Kubernetes protobuf");
}

#[test]
fn items_that_say_they_are_something_else_make_it_another_list() {
    let of = |kind: &str, item: &str| {
        json(&format!(
            r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{}},"items":[{{{item}"metadata":{{"name":"a","namespace":"n"}}}}]}}"#
        ))
    };
    for (item, taken, plain) in [
        ("", true, false),
        (r#""kind":"Pod","apiVersion":"v1","#, true, true),
        (r#""kind":"Pod","#, true, false),
        (r#""kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#, true, false),
        (r#""kind":"Secret","apiVersion":"v1","#, false, false),
        (r#""kind":"Secret","#, false, false),
        (r#""kind":"Pod","apiVersion":"example.org/v1","#, false, false),
    ] {
        assert_eq!(of("PodList", item).is_ok(), taken, "{item}");
        assert_eq!(of("List", item).is_ok(), plain, "{item}");
    }
    assert!(json(r#"{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}"#).is_err(), "of nothing");
}

#[test]
fn a_table_is_a_list_too() {
    let row = r#"{"cells":["a"],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"n"}}}"#;
    let body = format!(
        r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"continue":"t"}},"columnDefinitions":[{{"name":"Name"}}],"rows":[{row}]}}"#
    );
    let page = json(&body).unwrap();
    assert_eq!((names(&page), page.next.as_str()), (vec!["a"], "t"));
}

#[test]
fn one_object_that_cannot_be_read_does_not_hide_the_others() {
    let long = "x".repeat(2_000);
    for (metadata, reason) in [
        (vec![text(3, "n")], "metadata.name is missing"),
        (vec![text(1, "b/c"), text(3, "n")], "holds a \"/\""),
        (vec![text(1, "b")], "metadata.namespace is missing"),
        (vec![text(1, &long), text(3, "n")], "more than 1024 bytes"),
        (vec![text(1, "b"), field(3, b"\xff\xfe")], "not UTF-8"),
        (vec![text(1, "b"), text(3, "n"), entry(11, "app", b"\xff")], "not UTF-8"),
        (vec![text(1, "b"), text(3, "n"), vec![0xff]], "broken protobuf"),
        (vec![], "metadata.name is missing"),
    ] {
        let page = protobuf(&list(&[pod("a"), object(&metadata), pod("c")])).unwrap();
        assert_eq!(names(&page), ["a", "c"]);
        let said = page.unreadable.reason().unwrap();
        assert!(said.starts_with("1 object cannot be read (") && said.contains(reason), "{said}");
    }
    let whole = r#"{"metadata":{"name":"a","namespace":"n"}}"#;
    let deep = format!(
        r#"{{"metadata":{{"name":"b","namespace":"n","labels":{}1{}}}}}"#,
        "{\"a\":".repeat(9_999),
        "}".repeat(9_999)
    );
    for item in [
        "{}",
        "null",
        "7",
        r#"{"metadata":{"name":"b","namespace":"n","labels":"c2VjcmV0"}}"#,
        r#"{"metadata":[}]"#,
        "",
        &deep,
    ] {
        let body =
            format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{whole},{item},{whole}]}}"#);
        let page = json(&body).unwrap();
        assert_eq!(names(&page), ["a", "a"], "{item}");
        let said = page.unreadable.reason().unwrap();
        assert!(!said.contains("c2VjcmV0"), "{said}");
    }
    // What is skipped may be as deep as it likes.
    let skipped =
        format!(r#"{{"metadata":{{"name":"b","namespace":"n","x":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{skipped}]}}"#);
    assert_eq!(names(&page(JSON, body.as_bytes(), Asked::new(&pods(), None), 4096).unwrap()), ["b"]);
}

#[test]
fn objects_of_another_namespace_or_scope_are_not_taken() {
    let body = list(&[pod("a")]);
    let of = |ty: &ResourceType, namespace| page(PROTOBUF, &body, Asked::new(ty, namespace), 64).unwrap();
    assert_eq!(of(&pods(), Some("n")).instances.len(), 1);
    let other = of(&pods(), Some("m"));
    assert!(other.instances.is_empty() && other.unreadable.reason().is_some());
    let nodes = ResourceType { namespaced: false, ..pods() };
    assert!(of(&nodes, None).instances.is_empty());
}

#[test]
fn errors_never_quote_what_was_read() {
    for body in [
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","annotations":{"x":"c2VjcmV0"#,
        r#"{"kind":"c2VjcmV0","apiVersion":"v1","metadata":{},"items":[]}"#,
        r#"{"kind":"PodList","apiVersion":"v1","metadata":"c2VjcmV0","items":[]}"#,
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"kind":"c2VjcmV0"}]}"#,
    ] {
        let error = json(body).unwrap_err();
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
}

#[test]
fn texts_are_cut_alike_in_every_form() {
    let long = "ä".repeat(100_000);
    let labels: Vec<(String, String)> = (0..2_000).map(|n| (format!("l{n:04}"), "v".repeat(60))).collect();
    let mut metadata = vec![text(1, "a"), text(3, "n"), text(5, &long), entry(12, "description", long.as_bytes())];
    metadata.extend(labels.iter().map(|(k, v)| entry(11, k, v.as_bytes())));
    metadata.push(entry(11, &"k".repeat(600), b""));
    let from_protobuf = page(PROTOBUF, &list(&[object(&metadata)]), Asked::new(&pods(), None), 4096).unwrap();
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("\"{k}\":\"{v}\"")).collect();
    let body = format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"continue":"next"}},"items":[{{"metadata":{{"name":"a","namespace":"n",
            "uid":"{long}","creationTimestamp":"","labels":{{{},"{}":""}},"annotations":{{"description":"{long}"}}}}}}]}}"#,
        labels.join(","),
        "k".repeat(600)
    );
    let from_json = page(JSON, body.as_bytes(), Asked::new(&pods(), None), 4096).unwrap();
    assert_eq!(from_protobuf, from_json);
    let object = &from_json.instances[0];
    assert_eq!((object.annotations["description"].len(), object.uid.len()), (TEXT_BYTES, SHORT_BYTES));
    assert!(object.weight() < TEXT_BYTES + TEXTS_BYTES + 100 && object.labels.len() > 400);
}

#[test]
fn a_token_without_end_is_refused() {
    let body = envelope(LIST, &field(1, &field(3, &vec![b'x'; TOKEN_BYTES + 1])));
    assert!(page(PROTOBUF, &body, Asked::new(&pods(), None), 4096).unwrap_err().contains("token"));
}

#[test]
fn times_are_printed_as_the_api_server_does() {
    assert_eq!(rfc3339(1_767_323_045), "2026-01-02T03:04:05Z");
}

fn good_protobuf() -> Vec<u8> {
    let owner = field(13, &[text(1, "ReplicaSet"), text(3, "o"), vec![6 << 3, 1]].concat());
    let rich = object(&[text(1, "a"), text(3, "n"), entry(12, "description", b"d"), field(8, &[8, 1]), owner]);
    list(&[rich, pod("b"), pod("c")])
}

fn good_json() -> Vec<u8> {
    br#"{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t"},"items":[{"kind":"Pod","metadata":{"name":"a","namespace":"n",
        "labels":{"a":"b\"]}"},"annotations":{"description":"\u00e4"},"ownerReferences":[{"controller":true}]}},{"metadata":{"name":"b","namespace":"n"}}]}"#
        .to_vec()
}

/// A body with some bytes replaced, left out, doubled or put in.
pub(crate) fn mutated(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..4_u8, any::<u8>(), 1..9_usize);
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut body = good.clone();
        for (at, what, byte, length) in changes {
            if body.is_empty() {
                break;
            }
            let at = at.index(body.len());
            let end = (at + length).min(body.len());
            match what {
                0 => body[at] = byte,
                1 => drop(body.drain(at..end)),
                2 => {
                    let again = body[at..end].to_vec();
                    drop(body.splice(at..at, again));
                }
                _ => body.insert(at, byte),
            }
        }
        body
    })
}

/// Reads without a panic, the same in one piece and in many, and takes nothing that was not asked for.
fn holds(content_type: &str, body: &[u8], size: usize) -> Result<(), TestCaseError> {
    let ty = pods();
    let whole = page(content_type, body, Asked::new(&ty, Some("n")), usize::MAX);
    prop_assert_eq!(&page(content_type, body, Asked::new(&ty, Some("n")), size), &whole);
    for object in whole.iter().flat_map(|page| &page.instances) {
        prop_assert_eq!((object.namespace.as_str(), object.kind.as_str()), ("n", "Pod"));
        prop_assert!(!object.name.is_empty() && !object.name.contains('/'));
    }
    Ok(())
}

// As many cases as PROPTEST_CASES says, 256 without it.
proptest! {
    #[test]
    fn fuzz_protobuf_list(
        body in prop_oneof![
            mutated(good_protobuf()),
            prop::collection::vec(any::<u8>(), 0..200).prop_map(|raw| envelope(LIST, &raw)),
            prop::collection::vec(any::<u8>(), 0..200),
        ],
        size in 1..40_usize,
    ) {
        holds(PROTOBUF, &body, size)?;
    }

    #[test]
    fn fuzz_json_list(
        body in prop_oneof![
            mutated(good_json()),
            "[\\[\\]{}\",:a0 ]{0,60}".prop_map(|items| {
                format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{items}]}}"#).into_bytes()
            }),
            prop::collection::vec(any::<u8>(), 0..200),
        ],
        size in 1..40_usize,
    ) {
        holds(JSON, &body, size)?;
    }
}
