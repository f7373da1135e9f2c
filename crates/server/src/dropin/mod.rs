//! The endpoints that existing controllers post to, as they expect them: plain answers, never a refusal of what is valid. Whatever 4xx such
//! a controller gets, it drops the post for good.

mod body;
mod instances;
mod post;
mod scans;
mod time;

pub(crate) use instances::{__path_sync, sync};
pub(crate) use post::{LARGEST, too_large};
pub(crate) use scans::{__path_scan, scan};
