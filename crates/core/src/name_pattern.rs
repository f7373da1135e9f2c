//! Names of objects as a caller writes them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::glob::glob;

/// Characters of a name at most (RFC 1123).
const LONGEST: usize = 253;

/// A name, with `*` standing for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a name; expected one such as checkout, with * for any characters")]
pub struct NamePatternError(String);

impl FromStr for NamePattern {
    type Err = NamePatternError;

    fn from_str(text: &str) -> Result<Self, NamePatternError> {
        let text = text.trim();
        let usable = |c: char| c.is_ascii_alphanumeric() || "-._:*@+".contains(c);
        match !text.is_empty() && text.len() <= LONGEST && text.chars().all(usable) {
            true => Ok(Self(text.to_owned())),
            false => Err(NamePatternError(text.chars().take(LONGEST).collect())),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NamePattern {
    /// Whether it covers a name.
    pub fn covers(&self, name: &str) -> bool {
        glob(&self.0, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_exact_but_for_its_stars() {
        let covers = |pattern: &str, name: &str| pattern.parse::<NamePattern>().unwrap().covers(name);
        assert!(covers("web", "web") && !covers("web", "web-1") && !covers("web", "Web"));
        assert!(covers("web-*", "web-1") && covers("*", "x") && covers(" *db* ", "my-db-0"));
        assert!(covers("system:kube-*", "system:kube-proxy"));
        for wrong in ["", " ", "a b", "a/b", "é", "a\nb", &"a".repeat(254)] {
            assert!(wrong.parse::<NamePattern>().unwrap_err().to_string().contains("expected"), "{wrong:?}");
        }
    }
}
