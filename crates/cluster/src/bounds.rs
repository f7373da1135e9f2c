//! How much is taken of what a server sends, in whichever form.

/// Bytes of one object in a list. etcd takes 1.5 MiB and the API server requests of 3; a larger object is left out.
pub(crate) const OBJECT_BYTES: usize = 4 << 20;
