//! Programs that make, change or remove the files they are given.

use super::Operands::{
    Change, InputThenOutput, MoveThenWrite, ReadThenWrite, Remove, Special, TextThenWrite, Write,
};
use super::Row;
use super::Special::Dd;

const CHOWN_SHORT: &str = "cfhvHLPR";
const CHOWN_LONG: &str = "changes silent quiet verbose dereference no-dereference from: no-preserve-root preserve-root reference< recursive help version";

pub(super) const ROWS: &[Row] = &[
    Row::acts("chgrp", CHOWN_SHORT, CHOWN_LONG, TextThenWrite).recursive("R recursive"),
    Row::acts("chmod", "cfvR", "changes silent quiet verbose no-preserve-root preserve-root reference< recursive help version", TextThenWrite).recursive("R recursive"),
    Row::acts("chown", CHOWN_SHORT, CHOWN_LONG, TextThenWrite).recursive("R recursive"),
    // -T lets a directory take the place of another, names and all.
    Row::edits("cp", "abdfiHlLnpPrRsS:t>T!uvxZ", "archive attributes-only backup? copy-contents debug force interactive link dereference no-clobber no-dereference preserve? no-preserve: parents! recursive reflink? \
        remove-destination sparse: strip-trailing-slashes symbolic-link suffix: target-directory> no-target-directory! update? verbose keep-directory-symlink! one-file-system context? help version", ReadThenWrite).recursive("r R a recursive archive"),
    Row::acts("dd", "", "", Special(Dd)),
    Row::acts("install", "bcCdDg:m:o:pPsS:t>Tv", "backup? compare directory group: mode: owner: preserve-timestamps strip strip-program% suffix: target-directory> no-target-directory verbose preserve-context context? help version", ReadThenWrite),
    Row::acts("ln", "bdFfiLnPrsS:t>Tv", "backup? directory force interactive logical no-dereference physical relative symbolic suffix: target-directory> no-target-directory verbose help version", ReadThenWrite),
    Row::edits("mkdir", "m:pvZ", "mode: parents verbose context? help version", Write),
    Row::edits("mv", "bfinS:t>T!uvZ", "backup? debug exchange! force interactive no-clobber no-copy strip-trailing-slashes suffix: target-directory> no-target-directory! update? verbose context? help version", MoveThenWrite).recursive("*"),
    Row::edits("rm", "dfiIrRv", "force interactive? one-file-system no-preserve-root! preserve-root? recursive dir verbose help version", Remove).recursive("r R recursive"),
    // -p goes on to the parents.
    Row::edits("rmdir", "p!v", "ignore-fail-on-non-empty parents! verbose help version", Remove),
    Row::acts("shred", "fn:s:uvxz", "force iterations: random-source< size: remove? verbose exact zero help version", Change).unjudged(),
    Row::acts("tee", "aip", "append ignore-interrupts output-error? help version", Write),
    Row::edits("touch", "acd:fhmr<t:", "no-create date: no-dereference reference< time: help version", Write),
    Row::acts("truncate", "cor<s:", "no-create io-blocks reference< size: help version", Write),
    Row::acts("unlink", "", "help version", Remove).unjudged(),
    Row::acts("xxd", "abeEiprc:g:l:n:o:s:udv", "", InputThenOutput),
];
