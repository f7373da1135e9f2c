//! Tables of types, with the caller's rights, until a time. Each type has its own answer, and what cannot be read of it is part of that.
//! A table is whole or it is none: what was cut off says nothing.

use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::time::Duration;

use clusterlore_core::{CLUSTER_SCOPE, ResourceType};
use clusterlore_http::escaped;
use futures::future::join_all;
use http::StatusCode;
use thiserror::Error;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::table::{Column, Row, Table};
use crate::decode::{Asked, Item, ListReader};
use crate::list::{Tokens, page_path, path};
use crate::live::LiveSource;
use crate::requests::{Ask, Failure, Requests, Take, status_line};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// So many objects, or namespaces, are asked for one by one; more are read as one list.
const ONE_BY_ONE: usize = 4;

/// What is wanted of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The type, at the version at which it is served.
    pub ty: ResourceType,
    /// Which of its objects.
    pub objects: Objects,
}

/// Objects of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objects {
    /// All that there are. Where they may not be listed, those of the context's namespace.
    All,
    /// Those in these namespaces.
    Namespaces(BTreeSet<String>),
    /// These: namespace (`_cluster` for objects that have none) and name. One that is no longer there has no row.
    Named(BTreeSet<(String, String)>),
}

impl Objects {
    fn hold(&self, namespace: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespaces(namespaces) => namespaces.contains(namespace),
            Self::Named(objects) => objects.contains(&(namespace.to_owned(), name.to_owned())),
        }
    }

    /// Where they are; `None`: anywhere.
    fn namespaces(&self) -> Option<BTreeSet<&str>> {
        match self {
            Self::All => None,
            Self::Namespaces(namespaces) => Some(namespaces.iter().map(String::as_str).collect()),
            Self::Named(objects) => Some(objects.iter().map(|(namespace, _)| namespace.as_str()).collect()),
        }
    }
}

/// How much may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLimits {
    /// For everything together. There are no second tries.
    pub time: Duration,
    /// Rows that are looked at, of each type.
    pub rows: usize,
    /// Bytes of each answer, and of all that is kept of a type.
    pub bytes: u64,
    /// Requests at the same time.
    pub at_once: usize,
    /// Rows of one answer.
    pub page: u32,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(1), rows: 20_000, bytes: 32 << 20, at_once: 8, page: 500 }
    }
}

/// What was read of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeTable {
    /// The rows that were wanted; `None`: nothing could be read.
    pub table: Option<Table>,
    /// What could not be read.
    pub missing: Vec<Missing>,
}

/// What could not be read of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In this namespace; `None`: in all that is not in the table.
    pub namespace: Option<String>,
    /// Why.
    pub why: NotRead,
}

/// Why there is no table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotRead {
    /// 403.
    #[error("it may not be read")]
    Forbidden,
    /// The server answers, and not with a table.
    #[error("the server prints no table of it")]
    NoTable,
    /// The type is not served, or not any more.
    #[error("the server does not serve it")]
    NotServed,
    /// The time was over.
    #[error("the server did not answer in time")]
    Slow,
    /// More rows or bytes than may be read.
    #[error("there are too many of them to look at")]
    TooMuch,
    /// The answer is not whole, or broken.
    #[error("the answer cannot be read: {0}")]
    Cut(String),
    /// Anything else: no connection, refused credentials, an error of the server.
    #[error("{0}")]
    Failed(String),
}

/// Where rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Everywhere,
    Namespace(String),
    Object(String, String),
}

impl LiveSource {
    /// What the server prints of these types, in their order, read at the same time. Nothing of it is kept, and no type that cannot be read
    /// keeps another from being read.
    pub fn tables<'f>(&'f self, wanted: &'f [Wanted], limits: &'f TableLimits) -> BoxFuture<'f, Vec<TypeTable>> {
        Box::pin(async move {
            let deadline = Instant::now() + limits.time;
            let reading =
                Reading { requests: &self.requests, limits, deadline, turns: Semaphore::new(limits.at_once.max(1)) };
            join_all(wanted.iter().map(|wanted| reading.of_type(wanted))).await
        })
    }
}

struct Reading<'a> {
    requests: &'a Requests,
    limits: &'a TableLimits,
    deadline: Instant,
    turns: Semaphore,
}

impl Reading<'_> {
    async fn of_type(&self, wanted: &Wanted) -> TypeTable {
        let mut read = TypeTable::default();
        for (place, rows) in self.of_places(wanted, places(wanted)).await {
            match rows {
                Err(NotRead::Forbidden) if place == Place::Everywhere && wanted.ty.namespaced => {
                    self.by_namespace(wanted, &mut read).await;
                }
                rows => read.take(wanted, namespace_of(place), rows),
            }
        }
        read
    }

    /// What may not be read as a whole.
    async fn by_namespace(&self, wanted: &Wanted, read: &mut TypeTable) {
        let own = || [self.requests.server.namespace.as_str()].into();
        let namespaces = wanted.objects.namespaces().unwrap_or_else(own);
        for (place, rows) in self.of_places(wanted, each(namespaces)).await {
            match rows {
                // What follows says it of all namespaces.
                Err(NotRead::Forbidden) if wanted.objects == Objects::All => {}
                rows => read.take(wanted, namespace_of(place), rows),
            }
        }
        if wanted.objects == Objects::All {
            read.missing.push(Missing { namespace: None, why: NotRead::Forbidden });
        }
    }

    async fn of_places(&self, wanted: &Wanted, places: Vec<Place>) -> Vec<(Place, Result<Rows, NotRead>)> {
        let read = async |place| {
            let rows = self.of_place(wanted, &place).await;
            (place, rows)
        };
        join_all(places.into_iter().map(read)).await
    }

    async fn of_place(&self, wanted: &Wanted, place: &Place) -> Result<Rows, NotRead> {
        let read = async {
            let _turn = self.turns.acquire().await.map_err(|closed| NotRead::Failed(closed.to_string()))?;
            self.rows(wanted, place).await
        };
        timeout_at(self.deadline, read).await.unwrap_or(Err(NotRead::Slow))
    }

    async fn rows(&self, wanted: &Wanted, place: &Place) -> Result<Rows, NotRead> {
        let (namespace, name) = match place {
            Place::Everywhere => (None, None),
            Place::Namespace(namespace) => (Some(namespace.as_str()), None),
            Place::Object(namespace, name) => (Some(namespace.as_str()).filter(|of| *of != CLUSTER_SCOPE), Some(name)),
        };
        let list = path(&wanted.ty, namespace);
        let rows = self.limits.rows;
        let mut taker = Taker {
            asked: Asked::new(&wanted.ty, namespace),
            objects: &wanted.objects,
            rows,
            bytes: self.limits.bytes,
            reader: None,
            read: Rows::default(),
            page: Page::default(),
        };
        let mut tokens = Tokens::new(u32::try_from(rows).unwrap_or(u32::MAX).saturating_add(1));
        let mut token = String::new();
        loop {
            let path = match name {
                Some(name) => format!("{list}/{}?includeObject=Metadata", escaped(name)),
                None => format!("{}&includeObject=Metadata", page_path(&list, Some(self.limits.page.max(1)), &token)),
            };
            // The bounds are kept from outside, and by the taker; here they only have to be no less.
            let (most, within) = (self.limits.bytes.saturating_mul(2), self.limits.time * 2);
            let sent = self.requests.receive_once(&Ask::get(path, TABLE), most, within, &mut taker).await;
            match sent {
                Ok(()) => token = taker.end_page()?,
                // An object that is gone has no row.
                Err(Failure::Status(StatusCode::NOT_FOUND, _)) if name.is_some() => return Ok(taker.read),
                Err(failure) => return Err(taker.page.why.take().unwrap_or_else(|| not_read(failure))),
            }
            if token.is_empty() {
                return Ok(taker.read);
            }
            tokens.take(&token).map_err(not_read)?;
        }
    }
}

impl TypeTable {
    fn take(&mut self, wanted: &Wanted, namespace: Option<String>, rows: Result<Rows, NotRead>) {
        let mut missing = |why| {
            let missing = Missing { namespace: namespace.clone(), why };
            if !self.missing.contains(&missing) {
                self.missing.push(missing);
            }
        };
        let Rows { columns, rows, .. } = match rows {
            Ok(rows) => rows,
            Err(why) => return missing(why),
        };
        match &mut self.table {
            None => self.table = Some(Table { type_name: wanted.ty.name(), columns, rows }),
            // Only objects that are gone.
            Some(_) if columns.is_empty() => {}
            Some(table) if table.columns.is_empty() => (table.columns, table.rows) = (columns, rows),
            Some(table) if table.columns == columns => table.rows.extend(rows),
            Some(_) => missing(NotRead::Cut("its columns changed while it was read".to_owned())),
        }
    }
}

/// Where to ask; what comes from more than was wanted is left out.
fn places(wanted: &Wanted) -> Vec<Place> {
    match (&wanted.objects, wanted.objects.namespaces()) {
        (Objects::Named(objects), _) if objects.len() <= ONE_BY_ONE => {
            objects.iter().map(|(namespace, name)| Place::Object(namespace.clone(), name.clone())).collect()
        }
        (_, Some(none)) if none.is_empty() => Vec::new(),
        (_, Some(few)) if few.len() <= ONE_BY_ONE && wanted.ty.namespaced => each(few),
        _ => vec![Place::Everywhere],
    }
}

fn each(namespaces: BTreeSet<&str>) -> Vec<Place> {
    namespaces.into_iter().map(|name| Place::Namespace(name.to_owned())).collect()
}

fn namespace_of(place: Place) -> Option<String> {
    match place {
        Place::Everywhere => None,
        Place::Namespace(namespace) | Place::Object(namespace, _) => Some(namespace),
    }
}

pub(crate) fn not_read(failure: Failure) -> NotRead {
    match failure {
        Failure::Status(StatusCode::FORBIDDEN, _) => NotRead::Forbidden,
        Failure::Status(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, _) => NotRead::NotServed,
        Failure::Status(StatusCode::NOT_ACCEPTABLE, _) => NotRead::NoTable,
        Failure::Status(StatusCode::GONE, _) => NotRead::Cut("the list expired while it was read".to_owned()),
        Failure::Status(code, message) => NotRead::Failed(status_line(code, &message)),
        Failure::Unavailable(reason) => NotRead::Cut(reason),
        Failure::Ends(error) => NotRead::Failed(error.to_string()),
    }
}

/// What was read of one place.
#[derive(Default)]
struct Rows {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Rows that were looked at, those that nobody wants too.
    seen: usize,
    weight: u64,
}

/// What was read of one answer.
#[derive(Default)]
struct Page {
    seen: usize,
    rows: Vec<Row>,
    weight: u64,
    bytes: u64,
    /// Why it is read no further, where that is not the server's doing.
    why: Option<NotRead>,
}

/// Reads the answers of one place.
struct Taker<'a> {
    asked: Asked<'a>,
    objects: &'a Objects,
    rows: usize,
    bytes: u64,
    reader: Option<ListReader<'a, Row>>,
    read: Rows,
    page: Page,
}

impl Taker<'_> {
    fn stop(&mut self, why: NotRead) -> Result<(), String> {
        let reason = why.to_string();
        self.page.why = Some(why);
        Err(reason)
    }

    /// Takes over what the answer held; the token of the next.
    fn end_page(&mut self) -> Result<String, NotRead> {
        let reader = self.reader.take().ok_or_else(|| NotRead::Cut("the answer is empty".to_owned()))?;
        if let Some(unreadable) = reader.unreadable.said() {
            return Err(NotRead::Cut(unreadable));
        }
        // A further page may leave its columns out.
        if self.read.columns.is_empty() || !reader.columns.is_empty() {
            let columns = Column::all(&reader.columns).map_err(NotRead::Cut)?;
            if columns.is_empty() {
                return Err(NotRead::NoTable);
            }
            if !self.read.columns.is_empty() && self.read.columns != columns {
                return Err(NotRead::Cut("its columns changed while it was read".to_owned()));
            }
            self.read.columns = columns;
        }
        let page = std::mem::take(&mut self.page);
        self.read.rows.extend(page.rows);
        self.read.seen += page.seen;
        self.read.weight += page.weight;
        Ok(reader.next)
    }
}

impl Take for Taker<'_> {
    fn begin(&mut self, content_type: &str) -> Result<(), String> {
        self.page = Page::default();
        self.reader = Some(ListReader::new(content_type, self.asked.clone())?);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let pushed = reader.push(bytes);
        if reader.is_table() == Some(false) || reader.is_object() {
            return self.stop(NotRead::NoTable);
        }
        pushed?;
        for row in reader.take() {
            self.page.seen += 1;
            if self.objects.hold(&row.namespace, &row.name) {
                self.page.weight += row.weight() as u64;
                self.page.rows.push(row);
            }
        }
        self.page.bytes += bytes.len() as u64;
        let kept = self.read.weight + self.page.weight;
        if self.read.seen + self.page.seen > self.rows || kept.max(self.page.bytes) > self.bytes {
            return self.stop(NotRead::TooMuch);
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.reader.as_ref().map_or(0, ListReader::held)
    }

    fn end(&mut self) -> Result<(), String> {
        match &self.reader {
            None => Ok(()),
            Some(reader) if reader.is_table() == Some(false) => self.stop(NotRead::NoTable),
            Some(reader) => reader.end(),
        }
    }
}
