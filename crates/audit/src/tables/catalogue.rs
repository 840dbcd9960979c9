//! Every kind of finding. Ids are stable: baselines and reports of others hold them.

use portcullis_policy::Severity;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stable id.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// How bad it is unless a finding says otherwise.
    pub severity: Severity,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub cure: &'static str,
    /// A rule that has it.
    pub example: &'static str,
}

/// The kind with this id.
pub fn entry(id: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().copied().find(|entry| entry.id == id)
}

macro_rules! kinds {
    ($($name:ident $id:literal $severity:ident $title:literal
        $meaning:literal
        $cure:literal
        $example:literal;)*) => {
        $(
            #[doc = $title]
            pub static $name: Entry = Entry {
                id: $id,
                title: $title,
                severity: Severity::$severity,
                meaning: $meaning,
                cure: $cure,
                example: $example,
            };
        )*
        /// All of them, by id.
        pub static CATALOGUE: &[&Entry] = &[$(&$name),*];
    };
}

kinds! {
    DEAD "D001" Warning "the rule can match nothing"
        "no call can have a text that this rule matches"
        "remove the rule, or write it the way the call reads"
        "Bash(:*)";
    UNREAD "D002" Warning "the rule is never consulted"
        "rules of this form are skipped, so the rule neither allows nor forbids anything"
        "write the form that is consulted"
        "Write(src/**)";
    ADRIFT "D003" Warning "the path is anchored elsewhere than it looks"
        "where a path pattern starts depends on its first characters and on the file it stands in"
        "write `//` for an absolute path, `~/` for home, or a path without a leading slash"
        "Read(/etc/passwd) in project settings";
    OUT_OF_FORCE "D004" Note "the rule cannot take effect in this place"
        "a layer that is not trusted, a managed lock or the mode keeps the rule from counting"
        "move the rule to a layer that counts"
        "allow rules under `allowManagedPermissionRulesOnly`";
    UNKNOWN_NAME "D005" Warning "the rule names a tool or field that does not exist"
        "a rule for a name that no call has protects nothing"
        "correct the name"
        "Raed(.env)";
    LEFTOVER "D006" Note "the rule is a leftover of a compound command"
        "the text is a piece of shell grammar and not a command, so no ordinary call is judged by it"
        "remove the rule"
        "Bash(done)";
    PROTECTED "D007" Warning "the rule allows writes that stay protected"
        "no allow rule covers writing to protected paths, so calls go on asking"
        "remove the rule"
        "Edit(.git/**)";
    BROKEN "D008" Error "settings that cannot be read in full"
        "what cannot be read grants nothing and makes the calls it may be about ask"
        "correct the text"
        "Bash(ls";
    SHADOWED "S001" Warning "an allow rule that deny or ask rules take back whole"
        "deny and ask rules come first, so an allow rule inside of them never allows anything"
        "remove the allow rule, or narrow what takes it back"
        "allow Bash(git push *) beside deny Bash(git *)";
    SHADOWED_ASK "S002" Note "an ask rule that deny rules cover whole"
        "deny rules come first, so an ask rule inside of them never asks"
        "remove the ask rule, or narrow the deny rule"
        "ask Bash(rm *) beside deny Bash(rm *)";
    PARTLY_SHADOWED "S003" Note "an allow rule that loses calls of the history to other rules"
        "some recorded calls that the rule covers are denied or asked about by other rules"
        "narrow the rule that takes them back, or leave it"
        "allow Bash(git *) beside ask Bash(git push *)";
    CONFLICT "S004" Warning "layers that contradict each other"
        "a deny or ask rule of one layer takes back all that an allow rule of another grants"
        "agree on one of them"
        "user allow Bash(curl *), project deny Bash(curl *)";
    DUPLICATE "R001" Note "the same rule twice"
        "both rules match exactly the same calls"
        "remove one"
        "Bash(ls:*) and Bash(ls *)";
    REDUNDANT "R002" Note "a rule that another rule of its list covers"
        "the other rule matches everything that this one does"
        "remove it, or remove the wider one"
        "Bash(npm test) beside Bash(npm *)";
    ANY_CODE "X001" Error "an allow rule that runs any code"
        "the rule lets a call run a program of the caller's choice, so every other rule can be gone around"
        "name the exact commands, or remove the rule"
        "Bash(python3 *)";
    PROJECT_CODE "X002" Note "an allow rule that runs code of the project"
        "what runs is written in files of the project, which a call may have changed before"
        "ask for edits of these files, or run it in the sandbox"
        "Bash(npm test)";
    WRITES "X003" Warning "an allow rule that writes files past the rules for edits"
        "the program takes a target that is not judged as an edit"
        "leave the options that write out of the rule"
        "Bash(tar *)";
    NETWORK "X004" Warning "an allow rule that sends data anywhere"
        "the caller chooses the host and what is sent"
        "name the hosts by `WebFetch(domain:…)`, or let the sandbox's proxy decide"
        "Bash(curl *)";
    SELF_CHANGE "X005" Error "calls that can change the policy itself"
        "the settings, hooks or rules that decide can be written without a prompt"
        "deny writes to these files"
        "defaultMode bypassPermissions";
    BOUNDARY "X006" Warning "a wildcard that reaches further than it looks"
        "a star matches any text, other words and options included"
        "put a blank before the last star, and leave stars out of the middle"
        "Bash(ls*)";
    QUOTED_STAR "X007" Warning "a star inside quotes of a saved command"
        "the star was data when the command was saved; as a rule it matches any text"
        "write `\\*` for the character"
        "Bash(grep \"a*b\" file)";
    OPEN_PREFIX "X008" Warning "an address that is only fixed at its start"
        "what follows the star can make it another host"
        "end the host with a slash before the star, or use `WebFetch(domain:…)`"
        "Bash(curl https://example.com*)";
    CHAIN "X009" Warning "edits and execution that add up to any code"
        "one rule lets a call change a file and another lets it run what the file says"
        "ask for edits of the file, or for the command"
        "Edit(package.json) beside Bash(npm test)";
    SECRETS "X010" Warning "an allow rule that reads private files"
        "keys, tokens and passwords lie below what the rule opens"
        "deny reads of these files"
        "Read(~/**)";
    GONE_AROUND "W001" Error "a deny rule that another spelling goes around"
        "the same thing written differently is allowed"
        "deny the other spelling, or narrow what allows it"
        "deny Bash(curl http://*) beside allow Bash(curl *)";
    FAMILY "W002" Warning "a deny rule whose aim another program reaches"
        "another command with the same effect is allowed"
        "deny the other command, or narrow what allows it"
        "deny Bash(rm *) beside allow Bash(find *)";
    OTHER_WAY "W003" Warning "a denied file or host that commands still reach"
        "the tool is denied, but a command that is allowed does the same"
        "narrow the command rule, or turn the sandbox on so that the deny binds programs"
        "deny Read(.env) beside allow Bash(python3 *)";
    NOTEBOOK "W004" Note "a read deny that notebook edits do not know"
        "a Read deny also forbids Edit and Write, but not NotebookEdit"
        "deny Edit of the same path"
        "deny Read(data/**) beside allow Edit(data/**)";
    OPEN_MODE "P001" Error "a committed file that starts sessions without prompts"
        "whoever clones the repository gets a mode in which nothing is asked"
        "leave the mode to each user"
        "defaultMode bypassPermissions in project settings";
    HOOK_MISSING "P002" Error "a hook whose program cannot be run"
        "the agent goes on when a hook cannot be started, so the call is not looked at"
        "correct the path and make the file executable"
        "command ./guard.sh that does not exist";
    HOOK_IDLE "P003" Warning "a hook that no tool calls"
        "its matcher fits no tool, so it never runs"
        "correct the matcher; names are case-sensitive"
        "matcher bash";
    STALE "P004" Note "a rule that decided nothing in the history"
        "no recorded call was decided by this rule"
        "remove the rule if it is not needed"
        "Bash(svn *)";
    SECRET_IN_RULE "P005" Warning "a secret in the text of a rule"
        "rules are shared, logged and shown"
        "remove the rule and change the secret"
        "Bash(curl -H 'Authorization: Bearer …' *)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted_within_their_letter() {
        for (before, after) in CATALOGUE.iter().zip(CATALOGUE.iter().skip(1)) {
            assert!(before.id != after.id);
            assert!(before.id.get(..1) != after.id.get(..1) || before.id < after.id);
        }
        for entry in CATALOGUE {
            assert!(!entry.meaning.ends_with('.') && !entry.cure.ends_with('.'), "{}", entry.id);
        }
    }
}
