//! What addresses of servers have in common: where user and password end, and percent signs.

/// Refuses an address of which one can only guess where user and password end: what is guessed wrong is looked up as a host, and shown.
///
/// # Errors
/// What is wrong and what to write instead, without any part of the address.
pub fn plain_user(url: &str) -> Result<(), String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let front = rest.split('?').next().unwrap_or_default();
    let plain = match front.matches('@').count() {
        0 => true,
        1 => front.find('@') < front.find('/') || !front.contains('/'),
        _ => false,
    };
    if plain {
        return Ok(());
    }
    Err("its password contains an unescaped character; write \"@\" as %40 and \"/\" as %2F".to_owned())
}

/// A name as one part of a path: `%XX` for everything that RFC 3986 does not call unreserved.
pub fn escaped(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    name.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// `%XX` as bytes; what is no such thing stays.
pub fn unescaped(text: &str) -> String {
    String::from_utf8_lossy(&bytes(text).0).into_owned()
}

/// The same; `None` where a percent sign begins no such thing, or the bytes are no text.
pub fn strictly_unescaped(text: &str) -> Option<String> {
    let (bytes, all) = bytes(text);
    String::from_utf8(bytes).ok().filter(|_| all)
}

/// The bytes, and whether every percent sign began some.
fn bytes(text: &str) -> (Vec<u8>, bool) {
    let mut pieces = text.split('%');
    let (mut bytes, mut all) = (pieces.next().unwrap_or_default().as_bytes().to_vec(), true);
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        all &= byte.is_some();
        bytes.push(byte.unwrap_or(b'%'));
        bytes.extend_from_slice(&piece.as_bytes()[if byte.is_some() { 2 } else { 0 }..]);
    }
    (bytes, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_or_refused_without_being_shown() {
        for url in [
            "postgres://me:s3cret@db/lore",
            "postgres://me@%2Frun%2Fpg/lore",
            "http://me:p%40ss%2F@host:8000/chroma",
            "http://host/path",
            "postgres://db/lore?user=me@corp",
            "postgres://u:p#w@h/d",
        ] {
            assert_eq!(plain_user(url), Ok(()), "{url}");
        }
        for url in [
            "postgres://u:p@s3cret@127.0.0.1:1/d",
            "postgres://u@corp:s3cret@h/d",
            "postgres://u:s3cret/w@h/d",
            "http://me:pass:w@s3cret@chroma:8000",
            "http://h/@s3cret",
        ] {
            let problem = plain_user(url).unwrap_err();
            assert!(!problem.contains("s3cret") && problem.contains("%40"), "{problem}");
        }
    }

    #[test]
    fn percent_is_read_and_what_is_no_code_stays() {
        assert_eq!(unescaped("a%40b%2Fc%zz%4"), "a@b/c%zz%4");
        assert_eq!(unescaped("%+f%é%%41"), "%+f%é%A");
        assert_eq!(strictly_unescaped("a%40b%c3%A9").as_deref(), Some("a@bé"));
        for broken in ["%", "a%4", "%zz", "%+f", "%é", "%ff"] {
            assert_eq!(strictly_unescaped(broken), None, "{broken}");
        }
        assert_eq!(escaped("a b/c"), "a%20b%2Fc");
        assert_eq!(unescaped(&escaped("ä-_.~@%/")), "ä-_.~@%/");
    }
}
