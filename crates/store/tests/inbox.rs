//! What every inbox must do: the file, and a real Postgres.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use clusterlore_store::{Inbox, InboxFile, Postgres, Scan, Store, StoreError, Waiting};
use clusterlore_testkit::postgres::PostgresServer;

fn file(path: &Path) -> Arc<dyn Inbox> {
    Arc::new(InboxFile::open(path).unwrap())
}

async fn on_postgres(url: &str) -> Arc<dyn Inbox> {
    Postgres::open_or_create(url).await.unwrap().inbox().unwrap()
}

fn own(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn names(scans: &[Scan]) -> Vec<(&str, bool)> {
    scans.iter().map(|scan| (scan.name.as_str(), scan.gone)).collect()
}

/// Fills one, as it is new.
async fn fill(inbox: &dyn Inbox) {
    assert_eq!((inbox.waiting().await.unwrap(), inbox.clusters().await.unwrap()), (Waiting::default(), Vec::new()));
    for n in 0..5 {
        inbox.put("east", vec![n; 10]).await.unwrap();
        inbox.put("west", vec![100 + n; 10]).await.unwrap();
    }
    inbox.scan("", own(&["a.x", "b.x"]), own(&["b.x", "c.x"])).await.unwrap();
    inbox.scan("east", own(&["a.x"]), Vec::new()).await.unwrap();
}

/// What was filled by [`fill`], opened again, gives everything back in its order, and forgets only what it is told to.
async fn empty(inbox: &dyn Inbox) {
    assert_eq!(inbox.waiting().await.unwrap(), Waiting { posts: 10, bytes: 100, scans: 4 });
    assert_eq!(inbox.clusters().await.unwrap(), ["", "east", "west"]);
    let oldest = async |cluster: &str, most, bytes| {
        let posts = inbox.oldest(cluster, most, bytes).await.unwrap();
        posts.into_iter().map(|post| (post.number, post.body[0])).collect::<Vec<_>>()
    };
    let bodies = |posts: &[(i64, u8)]| posts.iter().map(|(_, body)| *body).collect::<Vec<_>>();
    let first = oldest("east", 2, 1_000).await;
    assert_eq!(bodies(&first), [0, 1]);
    assert_eq!(bodies(&oldest("east", 9, 35).await), [0, 1, 2]);
    // However large it is, one is given.
    assert_eq!(bodies(&oldest("east", 2, 1).await), [0]);
    inbox.done(first.iter().map(|(number, _)| *number).collect()).await.unwrap();
    inbox.done(vec![first[0].0]).await.unwrap();
    inbox.put("east", vec![9; 10]).await.unwrap();
    assert_eq!(bodies(&oldest("east", 9, 1_000).await), [2, 3, 4, 9]);
    assert_eq!(bodies(&oldest("west", 9, 1_000).await), [100, 101, 102, 103, 104]);
    let waiting = inbox.waiting().await.unwrap();
    assert_eq!((waiting.posts, waiting.bytes), (9, 90));

    let taken = inbox.scans("").await.unwrap();
    assert_eq!(names(&taken), [("a.x", false), ("b.x", false), ("c.x", true)]);
    // What is asked for again in the meantime stays.
    inbox.scan("", Vec::new(), own(&["a.x"])).await.unwrap();
    inbox.scanned("", taken).await.unwrap();
    assert_eq!(names(&inbox.scans("").await.unwrap()), [("a.x", true)]);
    assert_eq!(names(&inbox.scans("east").await.unwrap()), [("a.x", false)]);
    assert_eq!(inbox.waiting().await.unwrap().scans, 2);
}

#[tokio::test]
async fn a_file_keeps_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("inbox.db");
    let inbox = file(&path);
    fill(&*inbox).await;
    assert!(matches!(InboxFile::open(&path), Err(StoreError::Locked { .. })));
    drop(inbox);
    empty(&*file(&path)).await;
}

#[tokio::test]
async fn postgres_gives_one_process_what_another_took() {
    let Some(server) = PostgresServer::start_or_skip() else { return };
    let url = server.create_database("inbox");
    let inbox = on_postgres(&url).await;
    fill(&*inbox).await;
    empty(&*on_postgres(&url).await).await;
    // What one that writes beside the other has not committed yet is not forgotten with what came after it.
    let before = inbox.oldest("west", 9, 1_000).await.unwrap();
    inbox.done(vec![before[4].number]).await.unwrap();
    assert_eq!(inbox.oldest("west", 9, 1_000).await.unwrap(), before[..4]);
}
