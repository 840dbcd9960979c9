//! Opens, creates, renames and connects on behalf of the sandboxed processes, by name.
