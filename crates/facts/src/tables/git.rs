//! The forms of git that only read.
//!
//! Global options stand before the subcommand, so a command with one has no row. Left out of the
//! rows: everything that runs a pager, an editor, an external diff, a text conversion, a filter or
//! a remote helper or checks a signature (`--ext-diff`, `--textconv`, `-O`, `--open-files-in-pager`, `--filters`,
//! `--upload-pack`, `--show-signature`), and everything that writes (`--output`).

use super::Operands::{
    MoveThenWrite, Nothing, PatternThenRead, Read, Remove, Revisions, Text, Write,
};
use super::Row;

/// What `git diff` and everything that prints a diff take.
macro_rules! diff_long {
    () => {
        "patch no-patch unified? raw patch-with-raw indent-heuristic no-indent-heuristic minimal patience histogram anchored: diff-algorithm: stat? compact-summary numstat shortstat dirstat? \
         cumulative dirstat-by-file? summary patch-with-stat name-only name-status submodule? color? no-color color-moved? no-color-moved color-moved-ws: no-color-moved-ws word-diff? word-diff-regex: \
         color-words? no-renames rename-empty no-rename-empty check ws-error-highlight: full-index binary abbrev? break-rewrites? find-renames? find-copies? find-copies-harder irreversible-delete \
         diff-filter: pickaxe-all pickaxe-regex relative? no-relative text ignore-cr-at-eol ignore-space-at-eol ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines: \
         inter-hunk-context: function-context exit-code quiet no-ext-diff no-textconv ignore-submodules? src-prefix: dst-prefix: no-prefix default-prefix line-prefix: ita-invisible-in-index \
         merge-base cached staged no-index base ours theirs stat-width: stat-name-width: stat-count: no-color-words skip-to: rotate-to: find-object: output> "
    };
}

/// What `git log` and everything that walks history take.
macro_rules! log_long {
    () => {
        "follow no-decorate decorate? decorate-refs: decorate-refs-exclude: source mailmap no-mailmap use-mailmap no-use-mailmap full-diff log-size max-count: skip: since: since-as-filter: after: until: before: author: committer: \
         grep-reflog: grep: all-match invert-grep regexp-ignore-case basic-regexp extended-regexp fixed-strings perl-regexp remove-empty merges no-merges min-parents: max-parents: no-min-parents \
         no-max-parents first-parent exclude-first-parent-only not all branches? tags? remotes? glob: exclude: exclude-hidden: reflog single-worktree ignore-missing stdin cherry-mark cherry-pick \
         left-only right-only cherry walk-reflogs merge boundary simplify-by-decoration show-pulls full-history dense sparse simplify-merges ancestry-path? bisect date-order author-date-order \
         topo-order reverse no-walk? do-walk pretty? format: abbrev-commit no-abbrev-commit oneline encoding: expand-tabs? no-expand-tabs notes? no-notes show-notes? show-notes-by-default \
         relative-date date: parents children left-right graph no-graph show-linear-break? dd diff-merges: no-diff-merges combined-all-paths remerge-diff clear-decorations "
    };
}

const DIFF_SHORT: &str = "puU?sB?M?C?DX?l:S:G:RabwWI:zc0123";
const LOG_SHORT: &str = "puU?sB?M?C?DX?l:S:G:RabwWI:zcL:n:iEFPgtrmq";

pub(super) const ROWS: &[Row] = &[
    Row::acts("add", "nvfiupAN", "verbose dry-run force interactive patch edit update all no-ignore-removal no-all ignore-removal intent-to-add refresh ignore-errors ignore-missing renormalize sparse chmod: pathspec-from-file<", Read)
        .unjudged().opaque().recursive("*"),
    Row::acts("apply", "pRC:v", "stat numstat summary check index cached 3way reverse reject unidiff-zero allow-empty unsafe-paths directory> exclude: include: whitespace: inaccurate-eof recount verbose build-fake-ancestor> allow-overlap", Read).unjudged().opaque(),
    Row::acts("archive", "lo>v", "list output> format: prefix: add-file< worktree-attributes remote: exec: verbose", Revisions).unjudged().opaque(),
    Row::reads("blame", "bclL:tsenpM?C?whfS<", "root incremental show-stats score-debug show-name show-number porcelain line-porcelain show-email color-lines color-by-age minimal contents< abbrev? date: since: reverse first-parent \
        ignore-rev: ignore-revs-file< progress no-progress encoding: indent-heuristic", Revisions),
    // Operands name branches to list only behind --list (an old -l made a reflog and the branch).
    Row::tells("branch", "arvilq", "all remotes list verbose show-current contains: no-contains: merged? no-merged? points-at: sort: format: column? no-column ignore-case color? no-color abbrev? no-abbrev omit-empty", Text).operands_need("list"),
    Row::reads("cat-file", "eptsZ", "batch? batch-check? batch-all-objects buffer follow-symlinks unordered allow-unknown-type mailmap no-mailmap use-mailmap no-use-mailmap", Revisions),
    Row::acts("checkout", "qfb:B:tlmdp", "quiet force ours theirs track? no-track detach orphan: ignore-skip-worktree-bits merge conflict: patch pathspec-from-file< progress overwrite-ignore recurse-submodules overlay guess", Write).unjudged().opaque(),
    Row::acts("clean", "dfinqe:xX", "force interactive dry-run quiet exclude:", Remove).unjudged().opaque(),
    Row::acts("commit", "apc:C:F<m:t<snevqSuzioA", "all patch reuse-message: reedit-message: file< message: template< signoff no-verify allow-empty amend no-edit edit verbose quiet dry-run pathspec-from-file< fixup: squash: author: date: cleanup:", Read).unjudged().opaque(),
    Row::tells("config", "zf^", "file^ get local global system worktree null name-only show-origin show-scope type: bool int bool-or-int path expiry-date no-includes includes default:", Text).limit(2).needs("get"),
    Row::tells("describe", "", "all tags contains abbrev? candidates: exact-match debug long match: exclude: always first-parent dirty?", Text),
    Row::reads("diff", DIFF_SHORT, diff_long!(), Revisions).numeric().recursive("no-index"),
    Row::acts("difftool", "dg:t:x:y", "dir-diff tool: extcmd: no-prompt prompt gui", Revisions).unjudged().opaque(),
    Row::tells("for-each-ref", "", "count: sort: format: points-at: merged? no-merged? contains? no-contains? ignore-case omit-empty exclude: include-root-refs stdin color?", Text),
    Row::acts("format-patch", "o>n:k:v:s", "output-directory> stdout cover-letter numbered subject-prefix: start-number: signature-file<", Revisions).unjudged().opaque(),
    Row::reads("grep", "aiIwvhHEGFPnlLcze:qpWA:B:C:m:ro", "cached untracked no-index no-exclude-standard exclude-standard recurse-submodules text ignore-case no-textconv max-depth: recursive no-recursive word-regexp invert-match full-name \
        extended-regexp basic-regexp perl-regexp fixed-strings line-number column files-with-matches name-only files-without-match null only-matching count color? no-color break heading show-function \
        context: after-context: before-context: function-context max-count: threads: and or not all-match quiet", PatternThenRead).numeric().recursive("no-index untracked no-exclude-standard"),
    Row::acts("hash-object", "wt:", "stdin stdin-paths no-filters literally path:", Read).unjudged().opaque(),
    Row::reads("log", LOG_SHORT, concat!(diff_long!(), log_long!()), Revisions).numeric(),
    Row::reads("ls-files", "cdmoisuktvfzx:X<", "cached deleted modified others ignored stage directory no-empty-directory unmerged killed resolve-undo exclude: exclude-from< exclude-per-directory: exclude-standard error-unmatch with-tree: \
        full-name recurse-submodules abbrev? debug deduplicate eol sparse format:", Read),
    // A remote could be any URL, and some run a program.
    Row::tells("ls-remote", "htq", "heads branches tags refs quiet exit-code get-url sort: symref", Nothing),
    Row::tells("merge-base", "a", "all octopus independent is-ancestor fork-point", Text),
    Row::acts("mv", "vfnk", "verbose force dry-run sparse", MoveThenWrite).unjudged(),
    Row::acts("notes", "F<m:c:C:f", "file< message: force ref:", Text).unjudged().opaque(),
    Row::tells("reflog", LOG_SHORT, concat!(diff_long!(), log_long!()), Nothing).numeric(),
    Row::tells("reflog show", LOG_SHORT, concat!(diff_long!(), log_long!()), Revisions).numeric(),
    Row::tells("remote", "v", "verbose", Nothing),
    Row::acts("restore", "s:pWSq", "source: patch worktree staged quiet progress ours theirs merge conflict: ignore-unmerged overlay pathspec-from-file<", Write).unjudged().opaque(),
    Row::tells("rev-list", "n:iEFPg", concat!(log_long!(), "count objects objects-edge disk-usage? filter: no-filter header timestamp left-only quiet pretty? abbrev? use-bitmap-index no-object-names object-names unpacked progress: "), Revisions).numeric(),
    Row::tells("rev-parse", "q", "verify quiet short? abbrev-ref? symbolic symbolic-full-name not all branches? tags? remotes? glob: exclude: disambiguate: local-env-vars path-format: git-dir absolute-git-dir git-common-dir \
        git-path: is-inside-git-dir is-inside-work-tree is-bare-repository is-shallow-repository show-cdup show-prefix show-toplevel show-superproject-working-tree shared-index-path show-object-format? \
        show-ref-format since: after: until: before: revs-only no-revs flags no-flags default: sq", Text),
    Row::acts("rm", "fnrq", "force dry-run cached ignore-unmatch sparse quiet pathspec-from-file<", Remove).unjudged().recursive("r"),
    Row::tells("shortlog", "nsecw?", concat!(log_long!(), "numbered summary email committer group: format: "), Revisions).numeric(),
    Row::reads("show", LOG_SHORT, concat!(diff_long!(), log_long!()), Revisions).numeric(),
    Row::tells("stash list", LOG_SHORT, concat!(diff_long!(), log_long!()), Nothing).numeric(),
    Row::acts("stash push", "pkSuaqm:", "patch keep-index staged include-untracked all quiet message: pathspec-from-file<", Read).unjudged().opaque(),
    Row::tells("stash show", DIFF_SHORT, concat!(diff_long!(), "include-untracked only-untracked"), Text).limit(1).numeric(),
    Row::reads("status", "sbvu?z", "short branch show-stash porcelain? long verbose untracked-files? ignore-submodules? ignored? null column? no-column ahead-behind no-ahead-behind renames no-renames find-renames?", Read),
    // Operands name tags to list only behind -l or --list.
    Row::tells("tag", "ln?i", "list sort: format: contains: no-contains: merged? no-merged? points-at: column? no-column ignore-case color? omit-empty", Text).operands_need("l list"),
    Row::tells("worktree list", "vz", "porcelain verbose", Nothing),
];
