//! Words of English: plurals, articles, lists.

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either<T: AsRef<str>>(items: &[T]) -> String {
    joined(items, "or")
}

fn joined<T: AsRef<str>>(items: &[T], word: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// The first `most` of a list, and how many more there are: `a, b and 3 more`. One more is named, for that is as short.
pub(crate) fn few<T: AsRef<str>>(items: &[T], most: usize) -> String {
    if items.len() <= most + 1 {
        return list(items);
    }
    let mut shown: Vec<String> = items[..most].iter().map(|item| item.as_ref().to_owned()).collect();
    shown.push(format!("{} more", items.len() - most));
    list(&shown)
}

/// `1 pod`, `2 pods`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {}", plural(noun)) }
}

/// The plural of a noun, or of a phrase that ends in one.
pub(crate) fn plural(noun: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| noun.ends_with(end));
    // Kinds that are a plural already: Endpoints.
    if ends(&["points", "ices", "ies", "data"]) && !ends(&["series"]) {
        return noun.to_owned();
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) && !stem.is_empty() => format!("{stem}ies"),
        _ if ends(&["s", "x", "z", "ch", "sh"]) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// `a Pod`, `an Ingress`, `a User`, `an HTTPRoute`.
pub(crate) fn with_article(noun: &str) -> String {
    let mut letters = noun.chars();
    let (first, second) = (letters.next().unwrap_or_default(), letters.next().unwrap_or_default());
    let spelt = second.is_ascii_uppercase() && noun.len() > 1;
    let an = match first.to_ascii_lowercase() {
        'a' | 'e' | 'i' | 'o' => true,
        // A letter that is spelt: an HTTPRoute, an SQLClaim, but a UDPRoute.
        'f' | 'h' | 'l' | 'm' | 'n' | 'r' | 's' | 'x' => spelt,
        'u' => !spelt && !["ni", "se", "sa", "ti"].iter().any(|next| noun.to_ascii_lowercase()[1..].starts_with(next)),
        _ => false,
    };
    format!("{} {noun}", if an { "an" } else { "a" })
}

/// The first letter large.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let words = ["a", "b", "c", "d", "e"];
        assert_eq!(
            [list(&words[..0]), list(&words[..1]), list(&words[..2]), list(&words[..3])],
            ["", "a", "a and b", "a, b and c"]
        );
        assert_eq!(either(&words[..3]), "a, b or c");
        assert_eq!(
            [few(&words, 2), few(&words, 4), few(&words[..3], 2)],
            ["a, b and 3 more", "a, b, c, d and e", "a, b and c"]
        );
    }

    #[test]
    fn plurals() {
        for (one, many) in [
            ("Pod", "Pods"),
            ("Ingress", "Ingresses"),
            ("NetworkPolicy", "NetworkPolicies"),
            ("Gateway", "Gateways"),
            ("Endpoints", "Endpoints"),
            ("relational database", "relational databases"),
            ("cache", "caches"),
            ("mailbox", "mailboxes"),
        ] {
            assert_eq!(plural(one), many);
            assert_eq!((counted(1, one), counted(2, one)), (format!("1 {one}"), format!("2 {many}")));
        }
    }

    #[test]
    fn articles() {
        for (noun, article) in [
            ("Pod", "a"),
            ("Ingress", "an"),
            ("Endpoints", "an"),
            ("HTTPRoute", "an"),
            ("HorizontalPodAutoscaler", "a"),
            ("SQLClaim", "an"),
            ("StatefulSet", "a"),
            ("User", "a"),
            ("Upgrade", "an"),
            ("UDPRoute", "a"),
            ("VLSingle", "a"),
            ("", "a"),
        ] {
            assert_eq!(with_article(noun), format!("{article} {noun}"));
        }
    }
}
