//! The tables, how older ones become current ones, and what a server must have before anything is written to it.

use clusterlore_core::Collection;
use tokio_postgres::{Client, GenericClient, Transaction};

use super::address::Address;
use super::fault::Fault;
use super::text::quoted;
use crate::error::StoreError;

/// Oldest server: what is newer is looked after by its makers.
const OLDEST_POSTGRES: i32 = 140_000;
/// First pgvector with half vectors.
const OLDEST_PGVECTOR: (u32, u32) = (0, 7);
/// Longest vectors that an HNSW index takes as half vectors; above it every search is exact.
const LONGEST_INDEXED: usize = 4_000;

/// Each step leads from the version that is its index to the next; a step that was released is never changed. `{schema}` is
/// the schema, quoted.
const MIGRATIONS: &[&str] = &[
    // Tallies are kept a cluster, so that writers of different clusters never wait for each other; sums over clusters are short.
    "CREATE TABLE {schema}.collections (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, embedder text NOT NULL,
        dimensions int NOT NULL, revision bigint NOT NULL DEFAULT 0);
     CREATE TABLE {schema}.clusters (
        collection int NOT NULL REFERENCES {schema}.collections, cluster text COLLATE \"C\" NOT NULL,
        documents bigint NOT NULL DEFAULT 0, revision bigint NOT NULL DEFAULT 0, vocabulary bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (collection, cluster)) WITH (fillfactor = 50);
     CREATE TABLE {schema}.facets (
        collection int NOT NULL, cluster text COLLATE \"C\" NOT NULL, type text COLLATE \"C\" NOT NULL,
        namespace text COLLATE \"C\" NOT NULL, documents bigint NOT NULL,
        PRIMARY KEY (collection, cluster, type, namespace)) WITH (fillfactor = 70);
     CREATE TABLE {schema}.labels (
        collection int NOT NULL, key text COLLATE \"C\" NOT NULL, value text COLLATE \"C\" NOT NULL,
        cluster text COLLATE \"C\" NOT NULL, documents bigint NOT NULL) WITH (fillfactor = 70);
     CREATE UNIQUE INDEX labels_by_value ON {schema}.labels (collection, md5(key), md5(value), cluster);
     CREATE TABLE {schema}.terms (
        collection int NOT NULL, term text COLLATE \"C\" NOT NULL, cluster text COLLATE \"C\" NOT NULL, documents bigint NOT NULL,
        PRIMARY KEY (collection, term, cluster)) WITH (fillfactor = 70);
     CREATE TABLE {schema}.sources (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cluster text NOT NULL, identity text NOT NULL,
        replaced boolean NOT NULL DEFAULT false);
     CREATE TABLE {schema}.types (
        cluster text COLLATE \"C\" NOT NULL, name text COLLATE \"C\" NOT NULL, type text NOT NULL, PRIMARY KEY (cluster, name));
     CREATE TABLE {schema}.type_lists (cluster text PRIMARY KEY, revision bigint NOT NULL);
     CREATE TABLE {schema}.schemas (
        cluster text NOT NULL, type text NOT NULL, revision text NOT NULL, schema text NOT NULL, PRIMARY KEY (cluster, type));
     CREATE TABLE {schema}.answers (key text COLLATE \"C\" PRIMARY KEY, answer text NOT NULL);
     CREATE TABLE {schema}.runs (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cluster text NOT NULL, command text NOT NULL, run text NOT NULL);
     CREATE INDEX runs_by_cluster ON {schema}.runs (cluster, command, number);",
    // Annotations that were asked for. A table whose rows all have the default is not written again.
    "ALTER TABLE IF EXISTS {schema}.documents_instances ADD COLUMN annotations jsonb NOT NULL DEFAULT '{}';
     ALTER TABLE IF EXISTS {schema}.documents_capabilities ADD COLUMN annotations jsonb NOT NULL DEFAULT '{}';
     DO $$ BEGIN
        CREATE INDEX ON {schema}.documents_instances USING gin (annotations jsonb_path_ops);
     EXCEPTION WHEN undefined_table THEN NULL; END $$;
     DO $$ BEGIN
        CREATE INDEX ON {schema}.documents_capabilities USING gin (annotations jsonb_path_ops);
     EXCEPTION WHEN undefined_table THEN NULL; END $$;",
    // When and how a source was last read to its end.
    "ALTER TABLE {schema}.sources ADD COLUMN readings text NOT NULL DEFAULT '{}';",
    // Conversations that have a name. The key is the writer's: a turn that is sent again is the same.
    "CREATE TABLE {schema}.turns (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, thread text COLLATE \"C\" NOT NULL,
        at text NOT NULL, turn text NOT NULL);
     CREATE INDEX turns_by_thread ON {schema}.turns (thread, number);",
    // What happened to objects. An entry that is written a second time is the same.
    "CREATE TABLE {schema}.journal (
        cluster text COLLATE \"C\" NOT NULL, at text COLLATE \"C\" NOT NULL, entry text NOT NULL, PRIMARY KEY (cluster, at));
     CREATE INDEX journal_by_time ON {schema}.journal (at);",
    // What controllers posted and is not written yet. Of the names of types in `scans` the last that was sent counts.
    "CREATE TABLE {schema}.posts (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cluster text COLLATE \"C\" NOT NULL, body bytea NOT NULL);
     ALTER TABLE {schema}.posts ALTER COLUMN body SET STORAGE EXTERNAL;
     CREATE SEQUENCE {schema}.scan_requests;
     CREATE TABLE {schema}.scans (
        cluster text COLLATE \"C\" NOT NULL, name text COLLATE \"C\" NOT NULL, gone boolean NOT NULL, number bigint NOT NULL,
        PRIMARY KEY (cluster, name));",
    // What people call a source.
    "ALTER TABLE {schema}.sources ADD COLUMN name text NOT NULL DEFAULT '';",
];

/// Version of a current schema.
const VERSION: i32 = MIGRATIONS.len() as i32;

/// What a server is, as far as it matters.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// `16.14`.
    pub(super) version: String,
    number: i32,
    /// pgvector's version and the schema that its types lie in, where it is installed in the database.
    extension: Option<(String, String)>,
    /// Version of pgvector that could be installed.
    available: Option<String>,
    /// Whether our schema is there, and whether this role may use it.
    schema: Option<bool>,
    /// Version of our tables.
    found: Option<i32>,
    /// Tables of others in our schema.
    foreign: bool,
}

impl Server {
    pub(super) async fn look(client: &impl GenericClient, schema: &str) -> Result<Self, Fault> {
        // The catalogue may be read by every role.
        let row = client
            .query_one(
                "SELECT current_setting('server_version'), current_setting('server_version_num')::int,
                    (SELECT x.extversion FROM pg_extension x WHERE x.extname = 'vector'),
                    (SELECT n.nspname::text FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'vector'),
                    (SELECT a.default_version FROM pg_available_extensions a WHERE a.name = 'vector'),
                    (SELECT has_schema_privilege(n.oid, 'USAGE') FROM pg_namespace n WHERE n.nspname = $1),
                    (SELECT has_table_privilege(c.oid, 'SELECT') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = $1 AND c.relname = 'clusterlore_migrations'),
                    EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm'))",
                &[&schema],
            )
            .await?;
        let (usable, readable): (Option<bool>, Option<bool>) = (row.get(5), row.get(6));
        let found = match (usable, readable) {
            (Some(true), Some(true)) => {
                let select = format!("SELECT coalesce(max(version), 0) FROM {}.clusterlore_migrations", quoted(schema));
                Some(client.query_one(&select, &[]).await?.get(0))
            }
            _ => None,
        };
        let extension: (Option<String>, Option<String>) = (row.get(2), row.get(3));
        let some: bool = row.get(7);
        Ok(Self {
            version: row.get(0),
            number: row.get(1),
            extension: extension.0.zip(extension.1),
            available: row.get(4),
            // A table that is there and may not be read is as good as a schema that may not be used.
            schema: usable.map(|usable| usable && readable != Some(false)),
            found,
            foreign: readable.is_none() && some,
        })
    }

    /// pgvector, as far as it is there.
    pub(super) fn pgvector(&self) -> Option<&str> {
        self.extension.as_ref().map(|(version, _)| version.as_str())
    }

    /// Whether an index can go on looking until enough of what it finds passes a filter.
    pub(super) fn iterates(&self) -> bool {
        self.pgvector().is_some_and(|version| numbers(version) >= (0, 8))
    }

    /// Where names are looked up: ours first, then pgvector's types.
    pub(super) fn search_path(&self, schema: &str) -> String {
        let extension = self.extension.as_ref().map_or("public", |(_, schema)| schema);
        format!("{}, {}", quoted(schema), quoted(extension))
    }

    /// Refuses a server that cannot serve, before anything is written.
    fn check(&self, address: &Address) -> Result<(), StoreError> {
        let unusable =
            |problem: String, fix: String| Err(StoreError::Unusable { place: address.place.clone(), problem, fix });
        let schema = quoted(&address.schema);
        if self.number < OLDEST_POSTGRES {
            return unusable(
                format!("it is Postgres {}; expected {} or newer", self.version, OLDEST_POSTGRES / 10_000),
                "Upgrade the server".to_owned(),
            );
        }
        if self.schema == Some(false) {
            let user = quoted(address.config.get_user().unwrap_or_default());
            return unusable(
                format!("role {user} may not read schema {schema}"),
                format!(
                    "Its owner gives the right with \"GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {user}\""
                ),
            );
        }
        if self.foreign {
            return unusable(
                format!("schema {schema} holds tables of another program"),
                "Choose another one with ?schema=NAME in its URL".to_owned(),
            );
        }
        if let Some(found) = self.found.filter(|found| *found > VERSION) {
            let path = address.place.clone().into();
            return Err(StoreError::Newer { path, found: found.into(), known: VERSION.into() });
        }
        let oldest = format!("{}.{}", OLDEST_PGVECTOR.0, OLDEST_PGVECTOR.1);
        match (&self.extension, &self.available) {
            (Some((version, _)), available) if numbers(version) < OLDEST_PGVECTOR => {
                let update = "\"ALTER EXTENSION vector UPDATE\" as the extension's owner";
                let fix = match available {
                    Some(available) if numbers(available) >= OLDEST_PGVECTOR => format!("Run {update}"),
                    _ => format!("Install a newer pgvector on the server, then run {update}"),
                };
                unusable(format!("it has pgvector {version}; expected {oldest} or newer"), fix)
            }
            (None, Some(version)) if numbers(version) < OLDEST_PGVECTOR => unusable(
                format!("it offers pgvector {version}; expected {oldest} or newer"),
                "Install a newer pgvector on the server".to_owned(),
            ),
            (None, None) => unusable(
                "it has no pgvector".to_owned(),
                format!(
                    "Install it on the server (Debian and Ubuntu: apt install postgresql-{}-pgvector; image: pgvector/pgvector:pg{}), then \
                     run \"CREATE EXTENSION vector\" in the database as a superuser",
                    self.number / 10_000,
                    self.number / 10_000
                ),
            ),
            _ => Ok(()),
        }
    }
}

/// What a reader needs: a server that can serve and tables that this program knows.
pub(super) async fn existing(client: &Client, address: &Address) -> Result<Server, Fault> {
    let server = Server::look(client, &address.schema).await?;
    if server.schema.is_none() || (server.found.is_none() && server.schema == Some(true) && !server.foreign) {
        return Err(StoreError::Missing(address.place.clone()).into());
    }
    server.check(address)?;
    if server.found < Some(VERSION) {
        let (place, found) = (address.place.clone(), server.found.unwrap_or(0).into());
        return Err(StoreError::Outdated { place, found, known: VERSION.into() }.into());
    }
    Ok(server)
}

/// Brings the schema to the current version, all steps or none.
pub(super) async fn migrate(client: &mut Client, address: &Address) -> Result<Server, Fault> {
    let transaction = client.transaction().await?;
    // Another process may be at it.
    transaction
        .execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('clusterlore migration ' || $1, 0))",
            &[&address.schema],
        )
        .await?;
    let mut server = Server::look(&transaction, &address.schema).await?;
    server.check(address)?;
    if server.extension.is_some() && server.found == Some(VERSION) {
        return Ok(server);
    }
    let schema = quoted(&address.schema);
    let database = quoted(address.config.get_dbname().or(address.config.get_user()).unwrap_or_default());
    if server.extension.is_none() {
        let fix = format!("Let a superuser run \"CREATE EXTENSION vector\" in database {database}");
        try_as(
            &transaction,
            address,
            "CREATE EXTENSION vector",
            "pgvector is not installed in the database, and this role may not install it",
            fix,
        )
        .await?;
    }
    if server.schema.is_none() {
        let user = quoted(address.config.get_user().unwrap_or_default());
        let fix = format!(
            "Let the database's owner run \"CREATE SCHEMA {schema} AUTHORIZATION {user}\" in database {database}"
        );
        let create = format!("CREATE SCHEMA {schema}");
        try_as(
            &transaction,
            address,
            &create,
            &format!("there is no schema {schema}, and this role may not create it"),
            fix,
        )
        .await?;
    }
    let user = quoted(address.config.get_user().unwrap_or_default());
    let fix = format!("Let its owner run \"ALTER SCHEMA {schema} OWNER TO {user}\", or sync as its owner");
    let steps = MIGRATIONS.iter().zip(1..).skip(usize::try_from(server.found.unwrap_or(0)).unwrap_or(0));
    let mut sql = match server.found {
        Some(_) => String::new(),
        None => format!(
            "CREATE TABLE {schema}.clusterlore_migrations (version int PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());"
        ),
    };
    for (step, version) in steps {
        sql.push_str(&step.replace("{schema}", &schema));
        sql.push_str(&format!("INSERT INTO {schema}.clusterlore_migrations (version) VALUES ({version});"));
    }
    try_as(&transaction, address, &sql, &format!("this role may not create tables in schema {schema}"), fix).await?;
    server = Server::look(&transaction, &address.schema).await?;
    transaction.commit().await?;
    Ok(server)
}

/// Runs statements; where the role has not the right, `problem` and `fix` say so.
async fn try_as(
    transaction: &Transaction<'_>,
    address: &Address,
    sql: &str,
    problem: &str,
    fix: String,
) -> Result<(), Fault> {
    use tokio_postgres::error::SqlState;
    match transaction.batch_execute(sql).await {
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(StoreError::Unusable { place: address.place.clone(), problem: problem.to_owned(), fix }.into())
        }
        other => Ok(other?),
    }
}

/// The table of a collection's documents. Its partitions are by cluster; what has none of its own lies in the default one.
pub(super) fn table(collection: Collection) -> String {
    quoted(&format!("documents_{collection}"))
}

/// What makes the table of a collection.
pub(super) fn create_documents(collection: Collection, dimensions: usize) -> String {
    let (table, default) = (table(collection), quoted(&format!("documents_{collection}_default")));
    format!(
        "CREATE TABLE {table} (
            cluster text COLLATE \"C\" NOT NULL, key bytea NOT NULL, hash bytea NOT NULL, source bigint NOT NULL,
            stored_id text COLLATE \"C\" NOT NULL, type text COLLATE \"C\" NOT NULL, namespace text COLLATE \"C\" NOT NULL,
            vector halfvec({dimensions}), labels jsonb NOT NULL, words tsvector NOT NULL, metadata jsonb NOT NULL,
            text text NOT NULL, record text NOT NULL, annotations jsonb NOT NULL DEFAULT '{{}}', PRIMARY KEY (cluster, key)) PARTITION BY LIST (cluster);
         CREATE TABLE {default} PARTITION OF {table} DEFAULT;
         CREATE INDEX ON {table} (key);
         CREATE INDEX ON {table} (namespace, type);
         CREATE INDEX ON {table} (type);
         CREATE INDEX ON {table} USING gin (labels);
         CREATE INDEX ON {table} USING gin (annotations jsonb_path_ops);
         CREATE INDEX ON {table} USING gin (words);"
    )
}

/// Gives the documents of a collection to an embedder of these dimensions: no document keeps a vector, each counts as changed.
pub(super) fn change_dimensions(collection: Collection, dimensions: usize) -> String {
    // One rewrite of the table for both columns.
    format!(
        "DROP INDEX IF EXISTS {};
         ALTER TABLE {} ALTER COLUMN vector TYPE halfvec({dimensions}) USING NULL::halfvec({dimensions}),
            ALTER COLUMN hash TYPE bytea USING decode(repeat('00', 16), 'hex')",
        nearness(collection),
        table(collection)
    )
}

fn nearness(collection: Collection) -> String {
    quoted(&format!("documents_{collection}_nearness"))
}

/// What makes the index over vectors; none where they are too long for one.
pub(super) fn create_nearness(collection: Collection, dimensions: usize) -> Option<String> {
    let (name, table) = (nearness(collection), table(collection));
    let create = format!("CREATE INDEX IF NOT EXISTS {name} ON {table} USING hnsw (vector halfvec_cosine_ops)");
    (1..=LONGEST_INDEXED).contains(&dimensions).then_some(create)
}

/// Major and minor of a version.
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert!(numbers("0.10.1") > numbers("0.8.5") && numbers("1") == (1, 0));
    }
}
