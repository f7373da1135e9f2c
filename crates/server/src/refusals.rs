//! What endpoints answer in the place of what they were asked for, as the OpenAPI document tells it.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::content::Content;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

type Responses = BTreeMap<String, RefOr<Response>>;

/// Of everything but probes and posts.
pub(crate) struct Asked;

/// Of what is asked as JSON, beside [`Asked`].
pub(crate) struct AskedAsJson;

/// Of what controllers post.
pub(crate) struct Posted;

impl IntoResponses for Asked {
    fn responses() -> Responses {
        let all = [
            (400, "Not a question"),
            (401, "Who asks is not known"),
            (404, "There is none that the caller may see"),
            (429, "Asked too often"),
            (503, "Try again"),
        ];
        responses(&all, Some("application/problem+json"))
    }
}

impl IntoResponses for AskedAsJson {
    fn responses() -> Responses {
        responses(&[(413, "Too large"), (415, "Not JSON")], Some("application/problem+json"))
    }
}

impl IntoResponses for Posted {
    fn responses() -> Responses {
        let all = [
            (400, "Not such a body; nothing was kept"),
            (401, "Who sends it is not known"),
            (403, "The credential may not post"),
            (413, "More than 5 MiB"),
            (415, "Not JSON"),
            (500, "It cannot be kept"),
        ];
        responses(&all, None)
    }
}

/// Problems where a media type is given, else plain answers.
fn responses(all: &[(u16, &str)], media: Option<&str>) -> Responses {
    let one = |(status, description): &(u16, &str)| {
        let builder = ResponseBuilder::new().description(*description);
        let builder = match media {
            Some(media) => builder.content(media, Content::new(Some(Ref::from_schema_name("Problem")))),
            None => builder,
        };
        (status.to_string(), RefOr::T(builder.build()))
    };
    all.iter().map(one).collect()
}
