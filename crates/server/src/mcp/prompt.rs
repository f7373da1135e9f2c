//! What assistants are told of this server, and the prompt that it offers.

use clusterlore_agent::converse::fence_rule;
use rmcp::model::{ErrorData, GetPromptResult, Prompt, PromptMessage, Role};

const INVESTIGATE: &str = "investigate-cluster";

/// For every assistant.
pub(super) fn instructions() -> String {
    format!(
        "clusterlore is an index of Kubernetes clusters that is asked by meaning.\n\n\
         Begin with find_resources: one call with the user's own words and the conditions that they named (kind, namespaces, labels, age) \
         usually answers. cluster_overview tells what there is, find_resource_types which kind is for a task, recent_changes what came, \
         changed and went, get_resource shows one object. Every answer says how many match, how many are shown and how to narrow: narrow, \
         do not list everything. Give ids back exactly as they came.\n\n{}",
        fence_rule()
    )
}

/// The prompts that there are.
pub(super) fn prompts() -> Vec<Prompt> {
    let description = "How to look into a Kubernetes cluster with these tools, from the question to its cause.";
    vec![Prompt::new(INVESTIGATE, Some(description), None).with_title("Investigate the cluster")]
}

/// One of them.
pub(super) fn prompt(name: &str) -> Result<GetPromptResult, ErrorData> {
    if name != INVESTIGATE {
        return Err(ErrorData::invalid_params(format!("there is no prompt {name:?}; expected {INVESTIGATE}"), None));
    }
    let text = format!(
        "You look into a Kubernetes cluster for its developers and operators. What you say of it comes from your tools, never from memory.\n\n\
         Discovery (\"what database should I use?\"): always answer it. Ask find_resource_types for the task first, then find_resources for \
         what already runs. Names of teams and people belong into the question, not into name. If several things fit about as well, name \
         them and ask which is meant. If the user wants to deploy something, ask for their first name and their team before you search.\n\n\
         Investigation (\"why does checkout fail?\"): begin broad, with find_resources in the user's words, then recent_changes for what was \
         changed before it began, then get_resource for the state of the objects that matter. Follow what you see to its cause, through \
         owners, configuration and nodes.\n\n\
         Say in a few words what you do before each call. If a call fails, read why, mend it, or say what could not be seen. \
         Where an answer says that something was not checked, say so, too.\n\n\
         Answer in plain language: what it is, what that means, what to do next; one paragraph or a short list, with the ids of the objects \
         that show it. No raw output unless it carries the diagnosis.\n\n{}",
        fence_rule()
    );
    let description = "How to look into a Kubernetes cluster with these tools.";
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).with_description(description))
}
