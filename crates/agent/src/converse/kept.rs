//! What of a conversation may be kept: what was asked, which tools were called, and the ids that they returned and that the answer cited.
//! What the cluster said stays out, and so do the model's words and thoughts, in which it may stand again.

use std::collections::BTreeSet;

use clusterlore_models::{Message, Part, ToolResult};

use super::citations::{check, seen};
use super::fence::fenced;

/// Stands for what a tool returned.
const NOT_KEPT: &str = "(What was returned here is not kept. Call the tool again to see it.)";

/// These messages without what must not be kept. A model can go on from them.
pub fn kept(messages: &[Message]) -> Vec<Message> {
    let seen = seen(messages);
    messages.iter().map(|each| message(each, &seen)).collect()
}

fn message(message: &Message, seen: &BTreeSet<String>) -> Message {
    match message {
        Message::User { text } => Message::User { text: text.clone() },
        Message::Assistant { parts } => {
            let mut kept: Vec<Part> = parts.iter().filter(|part| matches!(part, Part::Call(_))).cloned().collect();
            if kept.is_empty() {
                kept.push(Part::Text { text: cited(parts, seen) });
            }
            Message::Assistant { parts: kept }
        }
        Message::Tool { results } => Message::Tool { results: results.iter().map(result).collect() },
    }
}

/// Stands for an answer.
fn cited(parts: &[Part], seen: &BTreeSet<String>) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    });
    let sources = check(&texts.collect::<String>(), seen);
    let ids = sources.citations.iter().filter(|citation| citation.seen).map(|citation| format!(" [{}]", citation.id));
    let ids: String = ids.collect();
    let cited = if ids.is_empty() { String::new() } else { format!(" It cited, in this order:{ids}.") };
    format!("(What was answered here is not kept.{cited})")
}

fn result(result: &ToolResult) -> ToolResult {
    ToolResult { text: fenced(&result.name, NOT_KEPT), ..result.clone() }
}

#[cfg(test)]
mod tests {
    use clusterlore_models::ToolCall;
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_the_cluster_said_is_kept() {
        let call = ToolCall { id: "a".into(), name: "kubectl_logs".into(), input: json!({"pod": "web-1"}) };
        let result = ToolResult {
            id: "a".into(),
            name: "kubectl_logs".into(),
            text: "MARK".into(),
            ids: vec!["shop/v1/Pod/web-1".into()],
            ..ToolResult::default()
        };
        let messages = [
            Message::user("why?"),
            Message::Assistant {
                parts: vec![
                    Part::Thought { block: json!("MARK") },
                    Part::Text { text: "MARK".into() },
                    Part::Call(call.clone()),
                ],
            },
            Message::Tool { results: vec![result] },
            Message::Assistant {
                parts: vec![Part::Text { text: "MARK, so [shop/v1/Pod/web-1] and [a/b/c/d].".into() }],
            },
        ];
        let kept = kept(&messages);
        assert!(!serde_json::to_string(&kept).unwrap().contains("MARK"));
        assert_eq!(kept[0], messages[0]);
        let text = "(What was answered here is not kept. It cited, in this order: [shop/v1/Pod/web-1].)".to_owned();
        assert_eq!(kept[3], Message::Assistant { parts: vec![Part::Text { text }] });
        assert_eq!(kept[1], Message::Assistant { parts: vec![Part::Call(call)] });
        let Message::Tool { results } = &kept[2] else { panic!("{kept:?}") };
        assert_eq!((results[0].id.as_str(), &results[0].ids[..]), ("a", &["shop/v1/Pod/web-1".to_owned()][..]));
    }
}
