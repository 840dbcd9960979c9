//! Which environment variables are harmless, and which change what runs.

/// Whether an assignment to this variable is looked through by allow rules.
pub fn safe_variable(name: &str) -> bool {
    let _ = name;
    false
}

/// Whether this variable can change which program runs or what it loads.
pub fn hijacking_variable(name: &str) -> bool {
    !safe_variable(name)
}
