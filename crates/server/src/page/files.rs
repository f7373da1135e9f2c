//! The files, as the binary has them.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file of the page.
pub(super) struct File {
    name: &'static str,
    pub(super) media: &'static str,
    pub(super) bytes: &'static [u8],
    /// Its ETag, with the quotes: of what it holds.
    pub(super) tag: String,
}

/// Files of `page/`, each with its media type.
macro_rules! files {
    ($($media:literal: $($name:literal)+;)+) => {
        [$($(($name, $media, include_bytes!(concat!("../../page/", $name)).as_slice())),+),+]
    };
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let files = files! {
        "text/html; charset=utf-8": "index.html";
        "text/css; charset=utf-8": "style.css";
        "image/svg+xml": "icon.svg";
        "text/javascript; charset=utf-8": "theme.js" "app.js" "address.js" "among.js" "api.js" "ask.js" "busy.js" "changes.js" "charts.js" "chips.js" "copy.js" "details.js" "dom.js"
            "hits.js" "overview.js" "search.js" "status.js" "token.js" "told.js" "words.js";
    };
    let file = |(name, media, bytes): (&'static str, &'static str, &'static [u8])| {
        let hash: String = Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        File { name, media, bytes, tag: format!("\"{hash}\"") }
    };
    files.map(file).into()
});

/// The file of a name.
pub(super) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let there = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(there.collect::<BTreeSet<_>>(), served);
        // None waits for another one to name it.
        let index = String::from_utf8_lossy(find("index.html").unwrap().bytes);
        let unnamed =
            served.iter().filter(|name| *name != "index.html" && !index.contains(&format!("\"/page/{name}\"")));
        assert_eq!(unnamed.collect::<Vec<_>>(), Vec::<&String>::new());
    }
}
