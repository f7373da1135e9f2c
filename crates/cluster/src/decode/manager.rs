//! Who changed an object last, as its managed fields say: the manager of the newest entry that is not of the status, which controllers
//! write. Read of the events of watches alone. Which fields a manager owns is skipped unread.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{beginning, cut, from_json};
use crate::protobuf::{Value, fields};

/// Bytes of a manager's name; Kubernetes allows as many.
const MANAGER_BYTES: usize = 128;

/// The subresource whose entries do not count. Those of others do: `kubectl scale` changes what was asked for.
const STATUS: &str = "status";

/// The newest entry so far. Times are whole seconds: of two managers in the same one nobody knows which was the last.
#[derive(Debug, Default)]
struct Newest {
    at: Option<i64>,
    manager: String,
    entries: usize,
    is_time_missing: bool,
}

impl Newest {
    fn take(&mut self, at: Option<i64>, manager: &str, subresource: &str) {
        if subresource == STATUS {
            return;
        }
        self.entries += 1;
        self.is_time_missing |= at.is_none();
        let manager = name(manager);
        if self.entries == 1 || at > self.at {
            (self.at, self.manager) = (at, manager);
        } else if at == self.at && manager != self.manager {
            self.manager.clear();
        }
    }

    /// The manager. An entry without a time, as `kubectl scale` leaves one, may be newer than any other: beside others nobody is named.
    fn known(self) -> String {
        if self.is_time_missing && self.entries > 1 { String::new() } else { self.manager }
    }
}

/// A name without what controls terminals, within its bound.
fn name(manager: &str) -> String {
    let clean: String = cut(manager, MANAGER_BYTES).chars().filter(|c| !c.is_control()).collect();
    clean.trim().to_owned()
}

/// Of the metadata of an object (`ObjectMeta`). Empty where it is not known, also for what cannot be read.
pub(super) fn of_protobuf(metadata: &[u8]) -> String {
    newest(metadata).map(Newest::known).unwrap_or_default()
}

fn newest(metadata: &[u8]) -> Result<Newest, String> {
    let mut newest = Newest::default();
    for field in fields(metadata) {
        let (17, Value::Bytes(entry)) = field? else { continue };
        let (mut manager, mut at, mut part): (&[u8], _, &[u8]) = (&[], None, &[]);
        for field in fields(entry) {
            match field? {
                (1, Value::Bytes(name)) => manager = beginning(name, MANAGER_BYTES),
                (4, Value::Bytes(time)) => at = seconds(time)?,
                (8, Value::Bytes(subresource)) => part = subresource,
                _ => {}
            }
        }
        newest.take(at, &String::from_utf8_lossy(manager), &String::from_utf8_lossy(part));
    }
    Ok(newest)
}

fn seconds(time: &[u8]) -> Result<Option<i64>, String> {
    for field in fields(time) {
        if let (1, Value::Number(seconds)) = field? {
            return Ok(Some(seconds.cast_signed()));
        }
    }
    Ok(None)
}

/// As [`of_protobuf`], of a whole object.
pub(super) fn of_json(object: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        #[serde(default)]
        managed_fields: Newest,
    }
    from_json::<Object>(object).unwrap_or_default().metadata.managed_fields.known()
}

impl<'de> Deserialize<'de> for Newest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            manager: Option<String>,
            time: Option<String>,
            subresource: Option<String>,
        }
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Newest;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of managed fields")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Newest, A::Error> {
                let mut newest = Newest::default();
                while let Some(Entry { manager, time, subresource }) = entries.next_element()? {
                    let at = time.and_then(|time| Some(time.parse::<jiff::Timestamp>().ok()?.as_second()));
                    newest.take(at, &manager.unwrap_or_default(), &subresource.unwrap_or_default());
                }
                Ok(newest)
            }
        }
        from.deserialize_seq(Entries)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::tests::{field, mutated, text};

    /// An entry: manager, second (0: without a time), subresource.
    type Entry<'a> = (&'a str, u8, &'a str);

    fn protobuf(entries: &[Entry<'_>]) -> Vec<u8> {
        let entry = |(manager, second, part): &Entry<'_>| {
            let time = if *second == 0 { Vec::new() } else { field(4, &[1 << 3, *second]) };
            let own = field(7, &text(1, "c2VjcmV0"));
            field(17, &[text(1, manager), text(2, "Update"), time, own, text(8, part)].concat())
        };
        [vec![text(1, "web"), text(6, "9")], entries.iter().map(entry).collect()].concat().concat()
    }

    fn json(entries: &[Entry<'_>]) -> Vec<u8> {
        let entry = |(manager, second, part): &Entry<'_>| {
            let mut entry = serde_json::json!({"manager": manager, "operation": "Update",
                "fieldsV1": {"f:spec": {"c2VjcmV0": [{}, 7]}}, "subresource": part});
            if *second > 0 {
                entry["time"] = format!("1970-01-01T00:00:{second:02}Z").into();
            }
            entry
        };
        let entries: Vec<_> = entries.iter().map(entry).collect();
        serde_json::json!({"kind": "Pod", "metadata": {"name": "web", "managedFields": entries}}).to_string().into()
    }

    #[test]
    fn the_manager_of_the_newest_entry_that_is_not_of_the_status_is_named() {
        let long = "m".repeat(1 << 20);
        let odd = format!("{}ü", "m".repeat(127));
        let cases: [(&[Entry<'_>], &str); 16] = [
            (&[], ""),
            (&[("kubectl", 5, "")], "kubectl"),
            (&[("helm", 5, ""), ("kubectl-edit", 7, ""), ("argocd", 6, "")], "kubectl-edit"),
            (&[("helm", 5, ""), ("kubelet", 9, "status"), ("hpa", 8, "scale")], "hpa"),
            (&[("kubelet", 9, "status")], ""),
            // As `kubectl scale` leaves it: without a time, so that nobody knows who was last.
            (&[("kubectl-create", 5, ""), ("kubectl", 0, "scale"), ("kube-controller-manager", 9, "status")], ""),
            (&[("kubectl", 0, "scale"), ("kubectl-create", 5, "")], ""),
            (&[("helm", 0, ""), ("kubectl", 5, ""), ("argocd", 6, "")], ""),
            (&[("kubectl", 0, ""), ("helm", 0, "")], ""),
            // The only one that counts needs no time, and the status needs none either.
            (&[("kubectl", 0, "scale")], "kubectl"),
            (&[("helm", 0, ""), ("kubelet", 9, "status"), ("kubelet", 0, "status")], "helm"),
            (&[("helm", 5, ""), ("kubelet", 0, "status")], "helm"),
            // In the same second.
            (&[("helm", 5, ""), ("kubectl", 5, ""), ("older", 4, "")], ""),
            (&[("e\u{1b}[31mvil\n\u{7}", 5, "")], "e[31mvil"),
            (&[(&long, 5, "")], &long[..128]),
            (&[(&odd, 5, "")], &odd[..127]),
        ];
        for (entries, expected) in cases {
            assert_eq!(of_protobuf(&protobuf(entries)), expected, "{entries:?}");
            assert_eq!(of_json(&json(entries)), expected, "{entries:?}");
        }
    }

    #[test]
    fn what_is_malformed_names_nobody() {
        let bad = ["7", "{}", "null", r#""x""#, "[7]", "[null]", r#"[{"manager":7,"time":[]}]"#, r#"[{"manager":"a""#];
        for fields in bad {
            let object = format!(r#"{{"metadata":{{"name":"web","managedFields":{fields}}}}}"#);
            assert_eq!(of_json(object.as_bytes()), "", "{fields}");
        }
        let no_time = r#"{"metadata":{"managedFields":[{"manager":"a"},{"manager":"b","time":"yesterday"}]}}"#;
        assert_eq!(of_json(no_time.as_bytes()), "");
        for entry in [&b"\xff"[..], b"\x0a\x7f", b"\x22\x01\x08"] {
            assert_eq!(of_protobuf(&[protobuf(&[("a", 5, "")]), field(17, entry)].concat()), "", "{entry:?}");
        }
        assert_eq!(of_protobuf(&field(17, &[field(1, b"\xff\xfe"), field(4, &[8, 5])].concat())), "\u{fffd}\u{fffd}");
    }

    proptest! {
        #[test]
        fn fuzz_manager(
            edited in mutated(protobuf(&[("helm", 5, ""), ("kubelet", 9, "status")])),
            edited_json in mutated(json(&[("helm", 5, ""), ("kubelet", 9, "status")])),
        ) {
            for manager in [of_protobuf(&edited), of_json(&edited_json)] {
                prop_assert!(manager.len() <= 3 * MANAGER_BYTES && !manager.contains(char::is_control));
            }
        }
    }
}
