//! What must not be shown: users, passwords and keys in addresses, and keys that a server says back.

use std::borrow::Cow;

use http::HeaderValue;
use serde_json::Value;

/// What says who asks, in every form in which a server may say it back: a key, a password, a whole header. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<String>);

impl Secret {
    /// Of these forms; empty ones hide nothing.
    pub fn new(forms: impl IntoIterator<Item = String>) -> Self {
        let mut forms: Vec<String> = forms.into_iter().filter(|form| !form.is_empty()).collect();
        // One may be part of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms)
    }

    /// The text with `…` in its places.
    pub fn hidden_in(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| text.replace(form, "…"))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A header that libraries do not log; `None`: no header can hold it.
pub fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(value).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// What the body of a refusal says: its message where it is JSON as servers commonly write it, else all of it; `no message` where that is
/// nothing. Without the secret, should the server have said that.
pub fn reason(body: &[u8], secret: Option<&Secret>) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = [&json["error"]["message"], &json["detail"], &json["message"], &json["error"]];
    let said = said.into_iter().find_map(Value::as_str).map_or_else(|| String::from_utf8_lossy(body), Cow::Borrowed);
    if said.trim().is_empty() {
        return "no message".to_owned();
    }
    secret.map_or_else(|| said.to_string(), |secret| secret.hidden_in(&said))
}

/// An address without user, password and query. All that stands before the last `@` is taken for user and password: what may hold an `@`
/// elsewhere is for [`masked`].
pub fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (&url[..scheme.len() + 3], rest));
    let (user, rest) = rest.rfind('@').map_or(("", rest), |at| ("…", &rest[at..]));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
    format!("{scheme}{user}{rest}{query}")
}

/// Ends a word that holds an address.
pub fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'`<>".contains(c)
}

/// The text without users and passwords of addresses: `postgres://…@host`, `?password=********`. Whatever stands between `://` and
/// the last `@` is taken for them, since a password may hold any character.
pub fn masked(text: &str) -> Cow<'_, str> {
    let users = without_users(text);
    match without_parameters(&users) {
        Some(masked) => Cow::Owned(masked),
        None => users,
    }
}

fn without_users(text: &str) -> Cow<'_, str> {
    if !(text.contains("://") && text.contains('@')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let word = after.find(ends_word).unwrap_or(after.len());
        shown.push_str(&without_user_part(&after[..word]));
        rest = &after[word..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// What stands behind `://`.
fn without_user_part(address: &str) -> Cow<'_, str> {
    // As our own messages say what is expected.
    let placeholder = address.split_once('@').is_some_and(|(user, _)| ["USER", "USER:PASSWORD"].contains(&user));
    if placeholder || !address.contains('@') {
        return Cow::Borrowed(address);
    }
    let (front, query) = address.split_at(address.find('?').unwrap_or(address.len()));
    let query = without_parameters(query).unwrap_or_else(|| query.to_owned());
    // A password may hold a question mark, too.
    let front = front.rfind('@').map_or("", |at| &front[at..]);
    let query = query.rfind('@').map_or(query.as_str(), |at| &query[at..]);
    Cow::Owned(format!("…{front}{query}"))
}

/// Values of parameters whose name says that they are secret, of addresses and of libpq's `key=value`.
fn without_parameters(text: &str) -> Option<String> {
    const SECRET: [&str; 8] = ["password", "passwd", "pwd", "secret", "token", "key", "sig", "signature"];
    let lower = text.to_ascii_lowercase();
    let mut shown = String::new();
    let mut done = 0;
    for (equals, _) in lower.match_indices('=') {
        if equals < done {
            continue;
        }
        let begins = lower[..equals].rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)));
        let name = &lower[begins.map_or(0, |at| at + lower[at..].chars().next().map_or(1, char::len_utf8))..equals];
        let of_address = begins.is_some_and(|at| "?&".contains(lower[at..].chars().next().unwrap_or(' ')));
        if !(SECRET.iter().any(|secret| name.ends_with(secret)) && (of_address || name.ends_with("password"))) {
            continue;
        }
        let value = &text[equals + 1..];
        let quote = value.chars().next().filter(|c| ['\'', '"'].contains(c));
        let end = match quote {
            Some(quote) => value[1..].find(quote).map_or(value.len(), |at| at + 2),
            None => value.find(|c| ends_word(c) || "&;,)".contains(c)).unwrap_or(value.len()),
        };
        if end > 0 {
            shown.push_str(&text[done..=equals]);
            shown.push_str("********");
            done = equals + 1 + end;
        }
    }
    (done > 0).then(|| shown + &text[done..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_shown_without_user_password_and_query() {
        for (url, shown) in [
            ("http://me:s3cret@host/v1", "http://…@host/v1"),
            ("http://me:s3@cr@et@host/v1", "http://…@host/v1"),
            ("http://host/v1", "http://host/v1"),
            ("http://u:s3/cret@host/v1", "http://…@host/v1"),
            ("http://u:s3?cret@host", "http://…@host"),
            ("u:s3cret@host", "…@host"),
            ("http://host/v1?key=s3cret", "http://host/v1?…"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }

    #[test]
    fn what_a_server_says_back_is_hidden_in_every_form() {
        let secret = Secret::new(["s3cret", "", "Basic bWU6czNjcmV0"].map(str::to_owned));
        for (said, shown) in [
            ("no key s3cret, s3cret", "no key …, …"),
            ("authorization: Bearer s3cret", "authorization: Bearer …"),
            ("authorization: Basic bWU6czNjcmV0", "authorization: …"),
            (r#"{"error": {"message": "no \"s3cret\""}, "message": "other"}"#, r#"no "…""#),
            (r#"{"detail": "s3\u0063ret?", "message": "other"}"#, "…?"),
            (r#"{"error": "Name", "message": "s3cret"}"#, "…"),
            (r#"{"error": {"message": 1}, "s3cret": 2}"#, r#"{"error": {"message": 1}, "…": 2}"#),
            (" \n", "no message"),
            (r#"{"message": ""}"#, "no message"),
        ] {
            assert_eq!(reason(said.as_bytes(), Some(&secret)), shown);
        }
        assert_eq!(reason(b"\xff s3cret", Some(&secret)), "\u{fffd} …");
        assert_eq!(reason(b"{\"message\": \"a\"}", None), "a");
        let all = Secret::new(["part", "the part of it"].map(str::to_owned));
        assert_eq!(all.hidden_in("the part of it, part"), "…, …");
        let header = sensitive("Bearer s3cret").unwrap();
        assert_eq!(format!("{secret:?} {header:?}"), "… Sensitive");
        assert!(sensitive("two\nlines").is_none());
    }

    #[test]
    fn addresses_lose_who_and_passwords() {
        for (text, shown) in [
            ("postgres://me:s3cret@db:5432/lore", "postgres://…@db:5432/lore"),
            ("a http://me:s3@cret@h/v1 b", "a http://…@h/v1 b"),
            ("jdbc:postgresql://u:s3cret@h/d", "jdbc:postgresql://…@h/d"),
            ("http://u:s3/cret?s3#cret@h", "http://…@h"),
            ("\"server\": \"http://bob:s3cret@127.0.0.1:1\"", "\"server\": \"http://…@127.0.0.1:1\""),
            ("http://a,http://u:s3cret@b", "http://…@b"),
            ("postgres://h/d?password=s3cret&sslmode=x", "postgres://h/d?password=********&sslmode=x"),
            ("postgres://h/d?user=u&password=p@s3cret", "postgres://…?user=u&password=********"),
            ("postgres://u:s3@h/d?password=p@s3cret", "postgres://…@h/d?password=********"),
            ("http://u:s3?key=cret@h", "http://…?key=********"),
            ("http://u:s3?cret@h", "http://…@h"),
            ("postgres://h/d?sslpassword=s3cret", "postgres://h/d?sslpassword=********"),
            ("https://h/?access_token=s3cret&a=b#c", "https://h/?access_token=********&a=b#c"),
            ("host=h password=s3cret user=u", "host=h password=******** user=u"),
            ("password='s3 cret' host=h", "password=******** host=h"),
            ("PGPASSWORD=s3cret", "PGPASSWORD=********"),
        ] {
            assert_eq!(masked(text), shown);
        }
        for text in [
            "openai:@cf/bge@https://host/v1",
            "me@example.org https://example.org",
            "label app=token token=x",
            "https://h/?page=2",
            "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            "größe=1 password= x",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_shown(
            password in "[a-zA-Z0-9:/?#@%=&$!~.-]{0,20}",
            before in "[a-z :@]{0,9}",
            after in "[a-z/ ?=]{0,9}",
        ) {
            let marked = format!("MARK{password}");
            for text in [format!("{before} a://u:{marked}@h{after}"), format!("'a://u:{marked}@h'"), format!("{before}\"x://{marked}@h\"")] {
                prop_assert!(!masked(&text).contains("MARK"), "{}", masked(&text));
            }
        }
    }
}
