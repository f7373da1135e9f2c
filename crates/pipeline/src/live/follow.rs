//! One type is followed: listed, watched, polled, as long as it is served. What it tells goes to the keeper, in the order in which the
//! server told it. Read [`Follower::run`]; the states are those of [`TypeState`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clusterlore_cluster::{
    ClusterError, ClusterSource, EventSink, ListEnd, ListScope, LiveSource, Position, SkipReason, Skipped, SourceEvent,
    Watched,
};
use clusterlore_core::ResourceType;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, sleep};

use super::pace::{Pace, Pauses, about};
use super::state::{Status, TypeState};

/// Events of one list that wait to be handed on.
const WAITING: usize = 2;

/// What a follower tells.
#[derive(Debug)]
pub(super) enum Told {
    /// What the source told of the type.
    Event(SourceEvent),
    /// The type is served no more, and nothing of it is left.
    Vanished,
}

/// Something told, by whom and when.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) ty: Arc<ResourceType>,
    pub(super) told: Told,
    pub(super) at: Instant,
}

/// How a follower is spoken to.
#[derive(Debug, Default)]
pub(super) struct Nudge {
    /// List now, whatever you are doing.
    pub(super) list: Notify,
    /// Whether discovery no longer names the type, though it read all of its group.
    pub(super) unserved: AtomicBool,
    /// Whether it is read namespace by namespace.
    pub(super) by_namespace: AtomicBool,
}

/// Follows one type.
pub(super) struct Follower {
    pub(super) source: Arc<LiveSource>,
    pub(super) ty: Arc<ResourceType>,
    pub(super) scope: ListScope,
    pub(super) pace: Arc<Pace>,
    pub(super) status: Arc<Status>,
    /// One for each list or opening of a watch.
    pub(super) turns: Arc<Semaphore>,
    pub(super) nudge: Arc<Nudge>,
    /// Told where the type seems to be gone.
    pub(super) sign: Arc<Notify>,
    pub(super) to: mpsc::Sender<Heard>,
}

/// What is done next.
enum Step {
    List { then_watch: bool },
    Watch(Vec<Position>),
    Poll(Vec<Position>),
    BackOff(Skipped),
    Gone,
}

/// Why a watch is over for good.
enum Over {
    /// Nothing can be told from this position on.
    Expired,
    /// The server does not let it be watched.
    Refused,
    /// Something happened that cannot be read.
    Unreadable,
}

/// Nobody listens any more.
struct Closed;

impl Follower {
    /// Follows the type from these positions on, which a list gave that began at `since`; without any it is listed first. Ends when the
    /// type is gone.
    pub(super) async fn run(self, positions: Vec<Position>, since: Timestamp) -> Arc<ResourceType> {
        let mut pauses = Pauses::of(&self.pace);
        let mut well = Instant::now();
        let watchable = self.ty.allows("watch");
        let mut step = match positions {
            none if none.is_empty() => Step::List { then_watch: watchable },
            some if watchable => self.begin(some),
            some => {
                self.state(TypeState::Polling { since });
                Step::Poll(some)
            }
        };
        loop {
            let next = match step {
                Step::List { then_watch } => self.list(then_watch).await,
                Step::Watch(positions) => {
                    let opened = Instant::now();
                    let next = self.watch(&positions).await;
                    if let Ok(Step::List { then_watch: true }) = &next {
                        // Expired, or unreadable: where the server never agrees to go on from its own list, it is not asked all the time.
                        sleep(pauses.after(opened.elapsed())).await;
                    }
                    next
                }
                Step::Poll(positions) => Ok(self.poll(positions).await),
                Step::BackOff(Skipped { reason, message }) => {
                    let forbidden = reason == SkipReason::Forbidden;
                    let pause = if forbidden { about(self.pace.poll) } else { pauses.after(well.elapsed()) };
                    self.state(TypeState::BackingOff { reason: message, forbidden });
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = self.nudge.list.notified() => {}
                    }
                    well = Instant::now();
                    Ok(Step::List { then_watch: watchable })
                }
                Step::Gone => {
                    self.state(TypeState::Gone);
                    return self.ty;
                }
            };
            match next {
                Ok(next) => step = next,
                Err(Closed) => return self.ty,
            }
        }
    }

    fn begin(&self, positions: Vec<Position>) -> Step {
        let by_namespace = positions.iter().any(|position| position.namespace.is_some());
        self.nudge.by_namespace.store(by_namespace, Ordering::Relaxed);
        Step::Watch(positions)
    }

    async fn list(&self, then_watch: bool) -> Result<Step, Closed> {
        let _turn = self.turn().await?;
        self.state(TypeState::Listing);
        let since = Timestamp::now();
        let (sender, mut events) = mpsc::channel(WAITING);
        let sink = EventSink { type_index: 0, sender };
        let listing = async move {
            match then_watch {
                true => self.source.list_to_watch(&self.ty, &self.scope, &sink).await,
                false => self.source.list(&self.ty, &self.scope, &sink).await,
            }
        };
        let forwarding = async {
            let mut end = ListEnd::default();
            while let Some((_, event)) = events.recv().await {
                match &event {
                    SourceEvent::Done(done) => end = done.clone(),
                    SourceEvent::Failed(skipped) => end.skipped = Some(skipped.clone()),
                    _ => {}
                }
                self.tell(Told::Event(event)).await?;
            }
            Ok(end)
        };
        let (listed, end) = futures::join!(listing, forwarding);
        let ListEnd { skipped, positions, .. } = end?;
        if let Err(error) = listed {
            return Ok(broken(&error));
        }
        Ok(match skipped {
            Some(skipped) if positions.is_empty() => self.not_listed(skipped).await?,
            _ if then_watch => self.begin(positions),
            _ => {
                self.state(TypeState::Polling { since });
                Step::Poll(positions)
            }
        })
    }

    /// What a list that came to nothing means.
    async fn not_listed(&self, skipped: Skipped) -> Result<Step, Closed> {
        let gone = match skipped.reason {
            SkipReason::NotFound => true,
            // Whoever may not list it gets a 403 in either case: then its group version says whether it is there.
            SkipReason::Forbidden if self.nudge.unserved.load(Ordering::Relaxed) => {
                matches!(self.source.serves(&self.ty).await, Ok(Some(false)))
            }
            _ => false,
        };
        if gone && self.nudge.unserved.load(Ordering::Relaxed) {
            self.tell(Told::Vanished).await?;
            return Ok(Step::Gone);
        }
        if gone {
            self.sign.notify_one();
        }
        Ok(Step::BackOff(skipped))
    }

    /// Watches from these positions on until that is over for one of them.
    async fn watch(&self, positions: &[Position]) -> Result<Step, Closed> {
        let mut watches: FuturesUnordered<_> =
            positions.iter().map(|position| self.watch_one(position.clone())).collect();
        tokio::select! {
            over = watches.next() => Ok(match over.transpose()? {
                Some(Over::Expired | Over::Unreadable) => Step::List { then_watch: true },
                // Where it is not there any more the list says so.
                Some(Over::Refused) => Step::List { then_watch: false },
                // No namespace may be read.
                None => Step::Poll(Vec::new()),
            }),
            () = sleep(about(self.pace.net)) => Ok(Step::List { then_watch: true }),
            () = self.nudge.list.notified() => Ok(Step::List { then_watch: true }),
        }
    }

    /// Watches from one position on. What breaks off is watched again from where it was.
    async fn watch_one(&self, mut position: Position) -> Result<Over, Closed> {
        let mut pauses = Pauses::of(&self.pace);
        loop {
            let bounds = self.pace.bounds();
            let opened = {
                let _turn = self.turn().await?;
                self.source.watch(&self.ty, &position, &bounds).await
            };
            let began = Instant::now();
            let failed = match opened {
                Err(error) => Some(error.to_string()),
                Ok(mut watch) => {
                    if watch.is_open() {
                        self.state(TypeState::Watching);
                    }
                    let failed = loop {
                        match watch.next().await {
                            Some(Watched::Event(SourceEvent::Failed(Skipped { reason, message }))) => match reason {
                                SkipReason::Expired => return Ok(Over::Expired),
                                SkipReason::NotFound | SkipReason::Forbidden => return Ok(Over::Refused),
                                SkipReason::Unavailable => break Some(message),
                            },
                            Some(Watched::Event(event)) => self.tell(Told::Event(event)).await?,
                            Some(Watched::Bookmark(_)) => {}
                            Some(Watched::Unreadable(_)) => return Ok(Over::Unreadable),
                            None => break None,
                        }
                    };
                    position = watch.position();
                    failed
                }
            };
            let lasted = began.elapsed();
            match failed {
                Some(reason) => {
                    let pause = pauses.after(lasted);
                    self.state(TypeState::BackingOff { reason, forbidden: false });
                    sleep(pause).await;
                }
                // One that ends as soon as it begins is not asked for all the time.
                None if lasted < self.pace.longest_pause => sleep(pauses.after(lasted)).await,
                None => {}
            }
        }
    }

    /// Waits for the next poll, which is a try at a watch: where that is refused, a list.
    async fn poll(&self, positions: Vec<Position>) -> Step {
        let nudged = tokio::select! {
            () = sleep(about(self.pace.poll)) => false,
            () = self.nudge.list.notified() => true,
        };
        let watchable = self.ty.allows("watch");
        if watchable && !nudged && !positions.is_empty() {
            self.begin(positions)
        } else {
            Step::List { then_watch: watchable && nudged }
        }
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Closed> {
        self.turns.acquire().await.map_err(|_| Closed)
    }

    async fn tell(&self, told: Told) -> Result<(), Closed> {
        let heard = Heard { ty: Arc::clone(&self.ty), told, at: Instant::now() };
        self.to.send(heard).await.map_err(|_| Closed)
    }

    fn state(&self, state: TypeState) {
        self.status.set(&self.ty.name(), state);
    }
}

/// What ends a run does not end a live sync: credentials are renewed, servers come back.
fn broken(error: &ClusterError) -> Step {
    Step::BackOff(Skipped { reason: SkipReason::Unavailable, message: error.to_string() })
}
