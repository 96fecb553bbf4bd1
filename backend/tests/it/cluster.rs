//! The private cluster: it is there for everybody who uses it, and for nobody else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use backend::cluster::Cluster;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::payment::eventually;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("wattyard-cluster-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn start(folder: &Path) -> JoinHandle<Cluster> {
    let folder = folder.to_owned();
    spawn_blocking(move || Cluster::start(&folder).unwrap())
}

async fn leave(cluster: Cluster) {
    spawn_blocking(move || drop(cluster)).await.unwrap();
}

async fn serves(url: &str) -> bool {
    backend::db::connect(url).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_who_leaves_stops_the_cluster() {
    let folder = Folder::new();
    // Both find no cluster, and one of them makes it.
    let (first, second) = (start(&folder.0), start(&folder.0));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let url = first.url.clone();
    assert!(serves(&url).await);
    leave(first).await;
    assert!(serves(&url).await, "somebody still uses it");
    leave(second).await;
    assert!(!serves(&url).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_killed_is_started_again() {
    let folder = Folder::new();
    let (first, second) = (start(&folder.0).await.unwrap(), start(&folder.0).await.unwrap());
    let url = first.url.clone();
    let postmaster = || {
        let noted = std::fs::read_to_string(folder.0.join("pg/data/postmaster.pid")).unwrap_or_default();
        noted.lines().next().unwrap_or_default().to_owned()
    };
    for _ in 0..2 {
        let killed = postmaster();
        assert!(Command::new("kill").arg("-KILL").arg(&killed).status().unwrap().success());
        eventually("another one serves", async || postmaster() != killed && serves(&url).await).await;
    }
    // It is still the cluster of both.
    leave(first).await;
    assert!(serves(&url).await);
    leave(second).await;
    assert!(!serves(&url).await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!serves(&url).await, "nobody looks after it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_still_shutting_down_is_waited_for() {
    let folder = Folder::new();
    let first = start(&folder.0).await.unwrap();
    let url = first.url.clone();
    // It stops when its last client has gone, and until then takes no new ones.
    let client = backend::db::connect(&url).await.unwrap();
    let pid = std::fs::read_to_string(folder.0.join("pg/data/postmaster.pid")).unwrap();
    let told = Command::new("kill").arg("-TERM").arg(pid.lines().next().unwrap()).status().unwrap();
    assert!(told.success());
    while serves(&url).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let next = start(&folder.0);
    drop(client);
    let next = next.await.unwrap();
    assert!(serves(&url).await);
    // Whoever had it before leaves it to the others.
    leave(first).await;
    assert!(serves(&url).await);
    leave(next).await;
    assert!(!serves(&url).await);
}
