//! `clusterlore similar`

use clusterlore_index::Request;

use super::search::{beside, named, scoped, sort};
use crate::args::{Format, Live, Similar};
use crate::done::Done;
use crate::print::hits;
use crate::renewal::Freshness;
use crate::settings::Settings;
use crate::wide::Clusters;
use crate::{build, narrow};

pub(crate) async fn run(settings: &Settings, flags: &Similar) -> anyhow::Result<Done> {
    let freshness = Freshness::of(settings, &flags.scope)?;
    let format = &flags.hits.output;
    let live = if *format == Format::Wide { Live::Auto } else { Live::Never };
    let index = build::index_with_cluster(settings, live).await?;
    let limit = usize::from(flags.hits.limit);
    let mut request = Request { limit, explain: flags.explain, ..scoped(&flags.scope) };
    narrow::to_context(settings, &index, &mut request).await?;
    let reply = named(index.similar(&build::OWN_STORE, &flags.id, &request).await, &request)?;
    let mut reply = freshness.weigh(reply)?;
    sort(&mut reply.hits, flags.table.sort_by);
    let (now, unknown) = beside(Clusters { settings, index: &index, live }, &request, &reply, format).await?;
    let in_vain = unknown.any;
    let unknown = unknown.lines;
    let view = hits::View { format, list: &flags.list, table: &flags.table, explain: flags.explain, unknown, now };
    hits::print(&reply, &view)?;
    Ok(Done::of(!reply.hits.is_empty(), in_vain, &flags.list))
}
