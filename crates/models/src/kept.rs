//! Vectors that were paid for and are not stored yet: kept in a file, so that a run that dies, or whose store goes away, does not
//! make the next one pay again.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clusterlore_core::EmbedderIdentity;
use futures::stream::{self, StreamExt};
use sha2::{Digest, Sha256};

use crate::embedder::{EmbedError, Embedder, Purpose};

/// Texts that are asked for, and kept, together.
const CHUNK: usize = 128;
/// Chunks at once.
const IN_FLIGHT: usize = 4;
/// Runs on one machine that use one embedder at the same time and all keep what they pay for.
const AT_ONCE: usize = 8;

type TextKey = [u8; 16];

/// An embedder that keeps what the one inside answered until [`Embedder::settled`].
pub struct Kept {
    inner: Arc<dyn Embedder>,
    path: PathBuf,
    vectors: Mutex<Vectors>,
}

/// A file of records (key of the text, then the vector as little-endian f32) with the places where they begin.
struct Vectors {
    file: File,
    places: HashMap<TextKey, u64>,
    end: u64,
    dimensions: usize,
}

impl Kept {
    /// Keeps vectors under `folder`, and knows those that a run before left there. Without a usable folder nothing is kept, which
    /// costs money at the worst.
    pub fn over(inner: Arc<dyn Embedder>, folder: &Path) -> Arc<dyn Embedder> {
        match Self::open(&*inner, folder) {
            Ok((path, vectors)) => Arc::new(Self { inner, path, vectors: Mutex::new(vectors) }),
            Err(_) => inner,
        }
    }

    fn open(inner: &dyn Embedder, folder: &Path) -> io::Result<(PathBuf, Vectors)> {
        let EmbedderIdentity { name, dimensions } = inner.identity();
        // Of this user alone: who reads vectors learns about texts.
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        let mut options = File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.create(true).append(true).read(true);
        let whose: String = key(&format!("{name} {dimensions}"))[..8].iter().map(|b| format!("{b:02x}")).collect();
        for number in 0..AT_ONCE {
            let path = folder.join(format!("{whose}-{number}.vectors"));
            let file = options.open(&path)?;
            match file.try_lock() {
                Ok(()) => return Ok((path, Vectors::read(file, dimensions)?)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(e),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn known(&self, key: &TextKey) -> Option<Vec<f32>> {
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner).get(key)
    }

    /// What cannot be kept is no reason to end a run.
    fn keep(&self, texts: &[String], vectors: &[Vec<f32>]) {
        let _ = self.vectors.lock().unwrap_or_else(PoisonError::into_inner).put(texts, vectors);
    }
}

impl Vectors {
    fn read(mut file: File, dimensions: usize) -> io::Result<Self> {
        let length = (16 + 4 * dimensions) as u64;
        // A record that was being written when the process died is none.
        let whole = file.metadata()?.len() / length;
        let mut places = HashMap::new();
        for number in 0..whole {
            let mut key = [0; 16];
            file.seek(SeekFrom::Start(number * length))?;
            file.read_exact(&mut key)?;
            places.insert(key, number * length);
        }
        file.set_len(whole * length)?;
        Ok(Self { file, places, end: whole * length, dimensions })
    }

    fn get(&mut self, key: &TextKey) -> Option<Vec<f32>> {
        let place = *self.places.get(key)?;
        let mut bytes = vec![0; 4 * self.dimensions];
        self.file.seek(SeekFrom::Start(place + 16)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let vector: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        vector.iter().all(|x| x.is_finite()).then_some(vector)
    }

    /// Holds nothing any more, in memory and on the disk: whoever goes on embedding must not hold more and more.
    fn forget(&mut self) {
        self.places = HashMap::new();
        self.end = 0;
        let _ = self.file.set_len(0);
    }

    fn put(&mut self, texts: &[String], vectors: &[Vec<f32>]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (text, vector) in texts.iter().zip(vectors).filter(|(_, vector)| vector.len() == self.dimensions) {
            let key = key(text);
            self.places.insert(key, self.end + bytes.len() as u64);
            bytes.extend_from_slice(&key);
            vector.iter().for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
        }
        self.end += bytes.len() as u64;
        // The file is opened for appending: where it was read last does not matter.
        self.file.write_all(&bytes)
    }
}

fn key(text: &str) -> TextKey {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(text)[..16]);
    key
}

#[async_trait]
impl Embedder for Kept {
    fn identity(&self) -> EmbedderIdentity {
        self.inner.identity()
    }

    async fn embed(&self, purpose: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
        if purpose == Purpose::Query {
            return self.inner.embed(purpose, texts).await;
        }
        let mut vectors: Vec<Option<Vec<f32>>> = texts.iter().map(|text| self.known(&key(text))).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|at| vectors[*at].is_none()).collect();
        let failed = AtomicBool::new(false);
        let asked = missing.chunks(CHUNK).map(|places| {
            let (failed, texts) = (&failed, places.iter().map(|at| texts[*at].clone()).collect::<Vec<_>>());
            async move {
                // After a failure nothing new is asked; what is on its way is paid for, and waited for.
                if failed.load(Ordering::Relaxed) {
                    return Ok(Vec::new());
                }
                let answered = self.inner.embed(purpose, texts.clone()).await;
                match &answered {
                    Ok(answered) => self.keep(&texts, answered),
                    Err(_) => failed.store(true, Ordering::Relaxed),
                }
                Ok::<_, EmbedError>(places.iter().copied().zip(answered?).collect())
            }
        });
        // Collected first: the borrow checker cannot follow closures through a stream of an async trait.
        let asked: Vec<_> = asked.collect();
        let answers: Vec<Result<Vec<(usize, Vec<f32>)>, EmbedError>> =
            stream::iter(asked).buffer_unordered(IN_FLIGHT).collect().await;
        for answer in answers {
            answer?.into_iter().for_each(|(at, vector)| vectors[at] = Some(vector));
        }
        Ok(vectors.into_iter().flatten().collect())
    }

    fn knows(&self, word: &str) -> Option<bool> {
        self.inner.knows(word)
    }

    fn sends_to(&self) -> Option<&str> {
        self.inner.sends_to()
    }

    fn settled(&self) {
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner).forget();
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Answers until it has answered so many texts; vectors say how long a text is.
    struct Paid {
        asked: AtomicUsize,
        most: usize,
    }

    #[async_trait]
    impl Embedder for Paid {
        fn identity(&self) -> EmbedderIdentity {
            EmbedderIdentity { name: "paid".into(), dimensions: 2 }
        }

        async fn embed(&self, _: Purpose, texts: Vec<String>) -> Result<Vec<Vec<f32>>, EmbedError> {
            if self.asked.fetch_add(texts.len(), Ordering::SeqCst) >= self.most {
                return Err(EmbedError::Failed { name: "paid".into(), problem: "no money".into() });
            }
            Ok(texts.iter().map(|t| vec![t.len() as f32, 1.0]).collect())
        }
    }

    fn paid(most: usize) -> Arc<Paid> {
        Arc::new(Paid { asked: AtomicUsize::new(0), most })
    }

    #[tokio::test]
    async fn what_was_paid_for_is_not_asked_again_until_it_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<String> = (0..1_000).map(|n| format!("{n:0width$}", width = n % 7 + 1)).collect();
        let embed = |inner: Arc<Paid>| {
            let (kept, texts) = (Kept::over(inner, folder.path()), texts.clone());
            async move { (kept.embed(Purpose::Document, texts).await, kept) }
        };
        let first = paid(500);
        assert!(embed(first.clone()).await.0.is_err());
        let bought = 512;
        // The process died while it wrote.
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&file).unwrap();
        assert_eq!(bytes.len(), bought * 24);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap()) & 0o777, 0o600);
        bytes.extend([1; 9]);
        std::fs::write(&file, bytes).unwrap();

        let second = paid(usize::MAX);
        let (vectors, kept) = embed(second.clone()).await;
        assert_eq!(second.asked.load(Ordering::SeqCst), texts.len() - bought);
        let vectors = vectors.unwrap();
        assert!(vectors.iter().zip(&texts).all(|(v, t)| *v == [t.len() as f32, 1.0]) && vectors.len() == texts.len());

        // Another run at the same time keeps its own; a question is asked as it is.
        let beside = Kept::over(paid(usize::MAX), folder.path());
        beside.embed(Purpose::Document, vec!["x".into()]).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        beside.embed(Purpose::Query, vec!["y".into()]).await.unwrap();
        for kept in [kept, beside] {
            kept.settled();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let third = paid(usize::MAX);
        embed(third.clone()).await.0.unwrap();
        assert_eq!(third.asked.load(Ordering::SeqCst), texts.len());
    }

    #[tokio::test]
    async fn what_is_settled_is_held_no_more_and_what_comes_then_is() {
        let folder = tempfile::tempdir().unwrap();
        let inner = paid(usize::MAX);
        let kept = Kept::over(inner.clone(), folder.path());
        for (text, asked) in [("a", 1), ("a", 1), ("", 1), ("a", 2), ("bb", 3), ("a", 3), ("bb", 3)] {
            match text {
                "" => kept.settled(),
                text => {
                    let vectors = kept.embed(Purpose::Document, vec![text.to_owned()]).await.unwrap();
                    assert_eq!(vectors, [[text.len() as f32, 1.0]]);
                }
            }
            assert_eq!(inner.asked.load(Ordering::SeqCst), asked, "{text}");
        }
    }

    #[tokio::test]
    async fn without_a_folder_nothing_is_kept_and_nothing_fails() {
        let kept = Kept::over(paid(usize::MAX), Path::new("/dev/null/nowhere"));
        assert_eq!(kept.embed(Purpose::Document, vec!["abc".into()]).await.unwrap(), [[3.0, 1.0]]);
        kept.settled();
    }
}
