//! What a request says of who sends it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

/// Bytes of a token that are looked at: service account tokens have about one thousand.
const LONGEST: usize = 16 << 10;

/// A secret from an `Authorization` header, not yet believed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials(pub(crate) String);

impl Credentials {
    /// Of `Bearer TOKEN`, or of `Basic` with a password: whoever only has a URL to put a secret into sends the latter. `Ok(None)`: there is no
    /// such header.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return Err("the request has several Authorization headers; expected one");
        }
        let value = value.to_str().map_err(|_| "the Authorization header is no text")?;
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        let rest = rest.trim();
        let secret = match scheme {
            _ if rest.is_empty() || rest.len() > LONGEST => return Err("the Authorization header holds no token"),
            scheme if scheme.eq_ignore_ascii_case("bearer") => rest.to_owned(),
            scheme if scheme.eq_ignore_ascii_case("basic") => {
                let decoded = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let pair = decoded.ok_or("the Authorization header is not Basic as RFC 7617 has it")?;
                let (_, password) = pair.split_once(':').ok_or("the Authorization header holds no password")?;
                password.to_owned()
            }
            _ => return Err("expected an Authorization header with Bearer or Basic"),
        };
        Ok(Some(Self(secret)))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn tokens_come_as_bearer_or_as_a_password() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            Credentials::of(&headers).map(|found| found.map(|c| c.0))
        };
        assert_eq!(of("Bearer abc"), Ok(Some("abc".to_owned())));
        assert_eq!(of("bearer  abc"), Ok(Some("abc".to_owned())));
        assert_eq!(of("Basic aW5nZXN0OnMzY3JldA=="), Ok(Some("s3cret".to_owned())));
        for wrong in ["Bearer", "Bearer ", "Basic !!", "Basic YWJj", "Digest a=b", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Credentials::of(&HeaderMap::new()).map(|c| c.is_none()), Ok(true));
    }
}
