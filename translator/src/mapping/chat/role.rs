//! Message roles.

/// A role that MLflow's UI knows. The UI cannot draw a conversation with any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mapping) enum Role {
    User,
    Assistant,
    System,
    Tool,
}

/// The names that instrumentations use. Any other name is a user.
const ROLES: [(&str, Role); 13] = [
    ("user", Role::User),
    ("human", Role::User),
    ("assistant", Role::Assistant),
    ("ai", Role::Assistant),
    ("model", Role::Assistant),
    // smolagents sends a tool call and its result as separate messages.
    ("tool-call", Role::Assistant),
    ("tool_call", Role::Assistant),
    ("system", Role::System),
    ("developer", Role::System),
    ("tool", Role::Tool),
    ("function", Role::Tool),
    ("tool-response", Role::Tool),
    ("tool_response", Role::Tool),
];

impl Role {
    /// As OpenAI names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
        }
    }

    /// Reads a role in any case.
    pub(in crate::mapping) fn named(name: &str) -> Self {
        Self::known(name).unwrap_or(Self::User)
    }

    /// The role of a name that instrumentations use for one.
    pub(in crate::mapping) fn known(name: &str) -> Option<Self> {
        let name = name.trim();
        // Some send the name of an enum's variant: `MessageRole.USER`.
        let name = name.rsplit_once('.').map_or(name, |(_, variant)| variant);
        ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, role)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_the_ui_does_not_know_become_ones_it_does() {
        for (name, role) in [
            ("user", Role::User),
            ("Human", Role::User),
            ("model", Role::Assistant),
            ("ai", Role::Assistant),
            ("tool-call", Role::Assistant),
            ("developer", Role::System),
            ("function", Role::Tool),
            ("tool-response", Role::Tool),
            ("MessageRole.ASSISTANT", Role::Assistant),
            ("critic", Role::User),
            ("", Role::User),
        ] {
            assert_eq!(Role::named(name), role, "{name}");
        }
    }
}
